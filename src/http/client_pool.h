#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/task.h"
#include "http/client.h"
#include "net/stream.h"
#include "net/timer_wheel.h"

namespace sluice::http {

class ClientPool;

/// A connection to an endpoint, in use or kept. Destroying it closes it.
class ClientConnection {
 public:
  ClientConnection(std::shared_ptr<ClientPool> pool, std::unique_ptr<net::Stream> stream);
  ~ClientConnection();
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  net::Stream& stream() const { return *stream_; }
  /// It has carried a request before.
  bool reused() const { return reused_; }
  /// Lets the stream go its own way: it is no connection of the pool any more.
  static std::unique_ptr<net::Stream> release(std::unique_ptr<ClientConnection> connection);
  /// Back to the pool, in a state to carry the next request.
  static void keep(std::unique_ptr<ClientConnection> connection);

 private:
  friend class ClientPool;
  std::shared_ptr<ClientPool> pool_;
  std::unique_ptr<net::Stream> stream_;
  TimePoint idle_since_{};
  bool reused_ = false;
};

/// The connections of one worker to endpoints of one identity. Lives as long as one of them is in use.
class ClientPool final : public std::enable_shared_from_this<ClientPool>, net::TimerWheel::Entry {
 public:
  ClientPool(const Endpoint& endpoint, ClientObserver* observer);
  ~ClientPool() override;

  /// Takes over the bounds of an endpoint, which a reload may have changed.
  void adjust(const Endpoint& endpoint);

  /// The connection that was used last, or null. `sure`: asks the system whether it still lives, for requests that
  /// could not be sent again.
  std::unique_ptr<ClientConnection> take_kept(bool sure);
  Task<Result<std::unique_ptr<ClientConnection>>> open(const Endpoint& endpoint, TimePoint deadline);

  /// Closes what is kept and keeps nothing from now on.
  void retire();
  /// A request is sent again because a kept connection was dead.
  void repeated();

  std::size_t kept() const { return kept_.size(); }
  std::size_t open_connections() const { return open_; }

 private:
  friend class ClientConnection;
  class Opening;

  void keep(std::unique_ptr<ClientConnection> connection);
  void drop(const ClientConnection* connection);
  void count_kept(int change);
  void expired() override;

  std::string identity_;
  ClientObserver* observer_;
  Duration idle_timeout_;
  std::size_t max_idle_;
  std::size_t max_connections_;
  std::vector<std::unique_ptr<ClientConnection>> kept_;  ///< the longest unused first
  std::size_t open_ = 0;                                 ///< kept, in use and being opened
  bool retired_ = false;
};

}  // namespace sluice::http
