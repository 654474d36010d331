#pragma once

#include <coroutine>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/clock.h"

namespace sluice::net {

enum class Direction : std::uint8_t { read, write };

/// What a wait for readiness came to.
enum class Readiness : std::uint8_t { ready, timed_out, closed };

/// A descriptor registered with the current worker's loop: tells when it can be read or written, within a deadline.
/// Reading and writing themselves are plain non-blocking system calls of the owner. One waiter a direction. Must stay
/// on its worker's thread.
class Socket {
 public:
  /// Takes over `descriptor` (made non-blocking here). REQUIRES: a current worker.
  static std::unique_ptr<Socket> adopt(int descriptor);
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  /// -1 once closed.
  int descriptor() const;

  class Wait;
  /// `Readiness r = co_await socket.wait(Direction::read);` A readiness that came while nobody waited is given at once,
  /// so that what follows may still find nothing there.
  Wait wait(Direction direction);

  /// A stamp, obeyed by the wait under way and by later ones, to about 50 ms; `never` switches it off.
  void set_deadline(Direction direction, TimePoint deadline);

  /// A wait would not wait.
  bool is_ready(Direction direction) const;
  /// Forgets a readiness that came while nobody waited: the owner has taken all there was.
  void clear_ready(Direction direction);

  /// Calls `on_event` once from the loop when bytes or the end come (what had come before does not count, an end does).
  /// REQUIRES: nobody waits for reading.
  void watch(std::function<void()> on_event);
  void unwatch();

  /// Waiters resume, from the loop, with `closed`.
  void close();

 private:
  struct Core;
  explicit Socket(Core* core);
  Core* core_;
};

class Socket::Wait {
 public:
  Wait(Core* core, Direction direction) : core_(core), direction_(direction) {}
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;
  ~Wait();
  bool await_ready();
  void await_suspend(std::coroutine_handle<> waiter);
  Readiness await_resume() const { return result_; }

 private:
  friend struct Core;
  Core* core_;
  Direction direction_;
  Readiness result_ = Readiness::ready;
  bool suspended_ = false;
  std::coroutine_handle<> waiter_;
};

}  // namespace sluice::net
