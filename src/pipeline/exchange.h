#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "http/message.h"
#include "llm/usage.h"
#include "telemetry/cells.h"

namespace sluice::http {
class Client;
}

namespace sluice {

/// How an exchange ended. Each exchange is counted under exactly one of these.
enum class Outcome : std::uint8_t {
  ok,              ///< a whole answer with status < 400
  client_error,    ///< the client's request was wrong (ours or the upstream's 4xx)
  upstream_error,  ///< the upstream failed or answered 5xx
  gateway_error,   ///< we failed
  broken,          ///< the answer began and then broke
  client_gone,     ///< the client left before the end
  ended            ///< ended by the operator: drained or deleted
};
std::string_view name_of(Outcome outcome);

/// Everything worth knowing about one exchange when it is over: the row of the access log and the source of every
/// metric.
struct ExchangeRecord {
  std::string id;  ///< x-request-id
  std::string method;
  std::string path;          ///< without query: queries may carry keys
  std::string client;        ///< address
  std::string route;         ///< as configured, or "default"
  std::string provider;      ///< as configured; empty when none was chosen
  std::string model;         ///< as configured or as routed: bounded, never free text from the client
  bool model_known = false;  ///< `model` stands in the configuration; metrics trust others once their provider answered
  std::string upstream_model;  ///< what the provider was asked for
  int status = 0;              ///< sent to the client; 0 if it left before
  Outcome outcome = Outcome::ok;
  std::string error_code;  ///< `code` of the failure, or empty
  std::string error_text;
  bool stream = false;
  TimePoint started = Clock::now();
  TimePoint headers{};      ///< response head known
  TimePoint first_token{};  ///< first body byte (for streams: the first event with content)
  TimePoint ended{};
  telemetry::Gaps gaps;                   ///< of a stream: noted for every piece with content
  std::uint64_t keep_alive_comments = 0;  ///< sent into silences of the stream
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  llm::Usage usage;
  std::optional<double> cost;  ///< US dollars; nothing when the price is unknown
};

/// What the matching route and the defaults say about one exchange.
struct RouteSettings {
  std::string provider;           ///< empty: the model decides
  std::uint64_t max_body = 0;     ///< bytes of a JSON body that is read whole
  Duration keep_alive_comment{};  ///< an SSE comment after so long a silence; zero: off
};

/// One request's life. Belongs to one worker; lives until the reply has been sent or dropped.
class Exchange {
 public:
  http::Request request;
  ExchangeRecord record;
  /// Keeps the configuration this exchange began with.
  std::shared_ptr<const void> snapshot;
  std::string traceparent;
  RouteSettings route;
  /// The upstream connections of this worker.
  http::Client* upstreams = nullptr;
  /// The request's body once a stage has read it whole; `request.body` is null then.
  std::optional<std::string> body_text;

  /// Ends the exchange from outside (drain, operator): the reply that is under way ends with an error in the caller's
  /// protocol. Idempotent.
  void cancel(ErrorKind why, std::string text);
  /// Set while the exchange is being ended.
  const std::optional<Error>& cancelled() const { return cancelled_; }
  /// What to interrupt on `cancel` (called at once if already cancelled); empty: nothing. One at a time.
  void set_interrupt(std::function<void()> interrupt);

 private:
  std::optional<Error> cancelled_;
  std::function<void()> interrupt_;
};

}  // namespace sluice
