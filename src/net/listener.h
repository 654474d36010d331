#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/task.h"

namespace sluice::net {

class Socket;

/// One worker's listening socket on an address. Every worker opens its own with SO_REUSEPORT; the kernel spreads
/// connections.
class Listener {
 public:
  /// Called for every accepted descriptor (non-blocking, TCP_NODELAY set); must take it over.
  using OnAccept = std::function<void(int descriptor)>;
  /// Called when accepting fails for want of descriptors or memory: bounded reason ("descriptors").
  using OnRefusal = std::function<void(std::string_view reason)>;

  /// Binds and listens; the kernel queues connections from now on. From any thread. `address` is "host:port" with a
  /// literal host. Fails with ErrorKind::config naming the address and why.
  static Result<int> bind(const std::string& address);
  /// Whether somebody listens on the address already. SO_REUSEPORT would let a second process share it and take half of
  /// the connections without a word, so whoever opens an address for the first time asks before.
  static Result<void> check_free(const std::string& address);

  /// REQUIRES: current worker. Takes over the descriptor that `bind` gave.
  Listener(int descriptor, OnAccept on_accept, OnRefusal on_refusal);
  /// Takes what the kernel has queued already, then closes: those clients were told they are connected.
  ~Listener();

  /// The address a bound descriptor has, port 0 replaced by what the system chose.
  static std::string local_address(int descriptor);

 private:
  struct State;
  static Task<void> accept_loop(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace sluice::net
