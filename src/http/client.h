#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/task.h"
#include "http/body.h"
#include "http/message.h"
#include "http/url.h"
#include "net/connect.h"

namespace sluice::http {

class ClientPool;

/// A server that requests go to. Immutable, may be shared by all workers.
struct Endpoint {
  std::string identity;  ///< connections are shared by endpoints of the same identity; holds no secret
  std::string host;      ///< for the Host field
  net::ConnectTarget target;
  Duration idle_timeout =
      std::chrono::seconds(60);     ///< unused pooled connections are closed after this; zero: none are kept
  std::size_t max_idle = 64;        ///< of one worker
  std::size_t max_connections = 0;  ///< in use and unused, of one worker; 0: no bound
};

/// `tls` must have been made of `options`; null for http. The identity names scheme, host and port, and the TLS options
/// and the proxy by a hash.
Endpoint make_endpoint(const Url& url, std::shared_ptr<net::TlsContext> tls, const net::ClientTlsOptions& options,
                       std::optional<net::Proxy> proxy);

/// What is asked. Everything it points to must outlive the response and its body.
struct ClientRequest {
  std::string_view method;
  std::string_view target;         ///< origin form
  const Fields* fields = nullptr;  ///< without framing fields and Host
  std::string_view body;           ///< a body that is there already: it can be sent again
  Body* stream = nullptr;          ///< or one that is pulled, with its length or chunked
  bool has_body = false;           ///< announces a body even if `body` is empty
  std::string_view upgrade;        ///< the protocol asked for ("websocket"), or empty
};

/// Zero: no such bound.
struct ClientTimeouts {
  Duration connect = std::chrono::seconds(5);         ///< name look-up, TCP, proxy and TLS together
  Duration first_byte = std::chrono::seconds(120);    ///< from the request's last byte to the answer's first body byte
  Duration between_bytes = std::chrono::seconds(60);  ///< between two pieces of the answer's body
  Duration total{};                                   ///< from the call to the answer's last byte
  Duration write_stall = std::chrono::seconds(30);    ///< while the server takes not one byte of the request
};

/// Told of connections as they come and go, for metrics. Called on the client's thread.
class ClientObserver {
 public:
  virtual ~ClientObserver() = default;
  virtual void connection_opened(std::string_view /*identity*/) {}
  virtual void connection_failed(std::string_view /*identity*/, const Error& /*error*/) {}
  virtual void connection_closed(std::string_view /*identity*/) {}
  /// `change` is +1 or -1.
  virtual void idle_changed(std::string_view /*identity*/, int /*change*/) {}
  virtual void connection_reused(std::string_view /*identity*/) {}
  /// A pooled connection turned out to be dead and the request is sent again on a new one.
  virtual void request_repeated(std::string_view /*identity*/) {}
};

/// The HTTP/1.1 client of one worker, with its pools of kept connections. One thread.
class Client {
 public:
  /// `observer` may be null; it outlives every response.
  explicit Client(ClientObserver* observer = nullptr);
  /// Kept connections close. Bodies of responses may live on; their connections close at their end.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Sends one request and gives the answer once its head is there, even if the request's body is still being sent:
  /// that goes on until the answer's end. REQUIRES: a current worker; the arguments outlive the task, and `request`'s
  /// texts and stream the answer's body.
  ///
  /// The answer's fields are those received, with framing fields. Its body holds the connection: read to its end it
  /// gives it back to the pool, destroyed earlier it closes it. It owns a Block only while bytes of it are unread or
  /// were handed out. A body that breaks fails with reset, truncated or timeout. With status 101 the connection is in
  /// `upgrade`.
  ///
  /// Nothing is sent twice, except that a request that failed on a kept connection, before any byte of an answer came
  /// and with its body still at hand, is sent once more on a new connection.
  ///
  /// Errors have source upstream (kinds resolve, connect, tls, timeout, reset, closed, protocol), source gateway
  /// (overloaded: max_connections), or are those of `request.stream`.
  Task<Result<Response>> send(const Endpoint& endpoint, const ClientRequest& request, const ClientTimeouts& timeouts);

  /// Closes the kept connections of all other endpoints, and those in use once they are free.
  void retain(const std::vector<std::string>& identities);

  /// Connections kept unused, and all of them, of one endpoint.
  std::size_t idle(std::string_view identity) const;
  std::size_t open(std::string_view identity) const;

 private:
  std::shared_ptr<ClientPool> pool_of(const Endpoint& endpoint);

  ClientObserver* observer_;
  std::map<std::string, std::shared_ptr<ClientPool>, std::less<>> pools_;
};

}  // namespace sluice::http
