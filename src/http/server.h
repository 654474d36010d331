#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/task.h"
#include "http/limits.h"
#include "http/message.h"

namespace sluice::net {
class TlsContext;
}

namespace sluice::http {

/// What answers requests. One for all connections of a worker; every call comes on that worker's thread.
class Handler {
 public:
  virtual ~Handler() = default;
  /// Answers one request; `request` lives until the answer was sent and may be moved from. If the client goes away
  /// meanwhile the task (or the answer's body) is destroyed unfinished.
  virtual Task<Response> handle(Request& request) = 0;
  /// The answer to a message that is not HTTP or breaks a limit (the connection is closed after it), or in place of one
  /// whose making failed before its first byte.
  virtual Response fail(int status, const Error& error) = 0;
};

/// Counts the client connections of the whole process, shared by all workers.
class ConnectionGauge {
 public:
  ConnectionGauge();
  ~ConnectionGauge();
  enum class Verdict { admitted, too_many, too_many_of_client };
  Verdict enter(const std::string& address, const ServerLimits& limits);
  void leave(const std::string& address);
  std::size_t count() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// What the server tells about connections, for metrics.
class ServerObserver {
 public:
  virtual ~ServerObserver() = default;
  virtual void connection_opened(std::string_view listener) = 0;
  virtual void connection_closed(std::string_view listener) = 0;
  virtual void connection_refused(std::string_view reason) = 0;
  /// A message was no valid HTTP or broke a limit; `reason` is a short label from a fixed set ("obs_fold").
  virtual void message_rejected(std::string_view reason) = 0;
};

/// For servers whose connections nobody counts.
class Unobserved final : public ServerObserver {
 public:
  void connection_opened(std::string_view) override {}
  void connection_closed(std::string_view) override {}
  void connection_refused(std::string_view) override {}
  void message_rejected(std::string_view) override {}
};

/// What connections obey; a request keeps what it began with, the next one on the same connection sees a change.
struct ServerSettings {
  ServerLimits limits;
  bool enforce_connection_limits = true;  ///< off for the admin listener
};

/// The HTTP/1.1 server of one worker: owns its connections, plain and TLS.
class Server {
 public:
  Server(Handler& handler, ServerObserver& observer, ConnectionGauge& gauge,
         std::shared_ptr<const ServerSettings> settings);
  /// Closes every connection at once. Their coroutines end in the loop's next turn: handler, observer and gauge must
  /// outlive that
  /// (`on_empty` tells).
  ~Server();

  void set_settings(std::shared_ptr<const ServerSettings> settings);

  /// Takes over an accepted descriptor. `tls` null: plain. `listener` names where it came from.
  void accept(int descriptor, std::shared_ptr<net::TlsContext> tls, const std::string& listener);
  /// A connection was refused before it could be accepted.
  void refused(std::string_view reason);

  /// Closes idle connections and those that come idle; answers carry `connection: close` from now on.
  void drain();
  /// Ends what is left at once.
  void close_all();
  std::size_t connections() const;
  /// Called whenever the last connection has gone, while draining.
  void on_empty(std::function<void()> callback);

  struct Shared;

 private:
  std::shared_ptr<Shared> shared_;
};

}  // namespace sluice::http
