#pragma once

#include <memory>
#include <optional>
#include <string>

#include "http/body.h"
#include "llm/dialect/openai/stream_relay.h"
#include "llm/prices.h"
#include "net/running.h"
#include "pipeline/exchange.h"
#include "provider/call.h"

namespace sluice {

/// Reads a body piece by piece, but lets go when the exchange is ended from outside or a deadline passes; the piece
/// that was being read is not lost by a deadline.
class InterruptibleReader {
 public:
  InterruptibleReader(Exchange& exchange, std::unique_ptr<http::Body> body);
  ~InterruptibleReader();

  enum class Came { piece, deadline, interrupted };
  Task<Came> read(TimePoint deadline);
  /// After `piece`.
  Result<std::string_view> take();
  const http::Body& body() const { return *body_; }
  /// Lets the upstream go.
  void drop();

 private:
  Exchange& exchange_;
  std::unique_ptr<http::Body> body_;
  std::optional<net::Running<Result<std::string_view>>> reading_;
};

/// What a reply's body needs to know of its exchange, which outlives it, as the price table does.
struct ReplyContext {
  Exchange& exchange;
  const llm::PriceTable& prices;
  std::string_view provider;
  /// The call that was answered, whose text an estimate is made from when the provider does not count.
  const UpstreamCall& call;

  void settle(const llm::Usage& usage) const;
  std::uint64_t estimated_prompt() const;
};

/// A streamed answer in the caller's protocol: forwards whole events as they come, fills silences with comments, counts
/// usage, and makes sure that a broken stream ends with an error event and never with a clean end.
class StreamReply final : public http::Body {
 public:
  StreamReply(const ReplyContext& context, std::unique_ptr<http::Body> upstream, llm::openai::StreamRelay relay);
  ~StreamReply() override;

  Task<Result<std::string_view>> read() override;

 private:
  Task<Result<std::string_view>> next_events();
  std::string_view forward_events(std::string_view bytes);
  std::string_view end();
  std::string_view break_off(const Error& error, Outcome outcome);
  void settle();

  ReplyContext context_;
  InterruptibleReader reader_;
  llm::openai::StreamRelay relay_;
  std::string last_words_;
  bool ended_ = false;
  bool settled_ = false;
};

/// A whole answer: forwarded untouched, and looked at for its usage (`count`) where it lies or, if it comes in pieces,
/// in a copy.
class WholeReply final : public http::Body {
 public:
  WholeReply(const ReplyContext& context, std::unique_ptr<http::Body> upstream, bool count);
  ~WholeReply() override;

  Task<Result<std::string_view>> read() override;
  std::optional<std::uint64_t> length() const override { return length_; }
  const http::Fields* trailers() const override { return reader_.body().trailers(); }

 private:
  void look_at(std::string_view piece);
  void count_usage(std::string_view text);
  void settle_by_estimate();

  ReplyContext context_;
  InterruptibleReader reader_;
  std::optional<std::uint64_t> length_;
  std::string kept_;
  std::uint64_t seen_ = 0;
  bool count_;
};

}  // namespace sluice
