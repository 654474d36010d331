#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>

#include "base/block_pool.h"
#include "http/parser.h"
#include "http/server.h"
#include "net/stream.h"

namespace sluice::http {

class ServerConnection;

/// State of one worker's server that its connections share and may outlive it by a loop turn.
struct Server::Shared {
  Handler* handler;
  ServerObserver* observer;
  ConnectionGauge* gauge;
  std::shared_ptr<const ServerSettings> settings;
  std::list<ServerConnection*> connections;
  std::function<void()> on_empty;
  bool draining = false;
};

/// One client connection: reads requests one after the other, has each answered, writes the answers. Owns a Block only
/// while bytes of it are unread. Its coroutine owns it.
class ServerConnection {
 public:
  ServerConnection(std::shared_ptr<Server::Shared> shared, std::unique_ptr<net::Stream> stream, Peer peer);
  ~ServerConnection();
  ServerConnection(const ServerConnection&) = delete;
  ServerConnection& operator=(const ServerConnection&) = delete;

  /// Runs to the connection's end.
  Task<void> run();
  /// Between requests: close now. In the middle of one: close after its answer.
  void drain();
  /// Ends it at once, whatever it is doing.
  void close();

 private:
  friend class RequestBody;

  /// Whether the connection goes on.
  enum class After { keep_alive, close, linger, abort };

  void follow_settings();
  Task<bool> read_head();
  Task<After> serve_request();
  Task<After> answer();
  Task<After> send(Response response);
  Task<After> send_body(Body& body, bool chunked, Result<std::string_view> piece, std::string head);
  Task<After> tunnel(Response response);
  Task<Result<void>> fill();
  Task<void> refuse(const Error& error);
  Task<void> linger();
  void watch_for_hang_up();
  std::string_view unread() const { return {input_.data() + begin_, end_ - begin_}; }
  void take(std::size_t bytes);

  std::shared_ptr<Server::Shared> shared_;
  std::list<ServerConnection*>::iterator self_;
  std::shared_ptr<const ServerSettings> settings_;  ///< of the request under way
  std::unique_ptr<net::Stream> stream_;
  Peer peer_;
  RequestParser parser_;
  Request request_;
  Block input_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t requests_ = 0;
  bool idle_ = true;                  ///< no byte of a next request yet
  bool head_request_ = false;         ///< of the request under way, which its handler may have moved from
  bool old_client_ = false;           ///< HTTP/1.0
  bool body_unread_ = false;          ///< the request's body has not been read to its end
  std::function<void()> on_hang_up_;  ///< set while an answer is under way
};

}  // namespace sluice::http
