#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <vector>

namespace sluice::bench {

/// Nanoseconds of the monotonic clock.
using Nanos = std::int64_t;
Nanos now();
inline constexpr Nanos millisecond = 1'000'000;
inline constexpr Nanos second = 1'000'000'000;

/// Something with a descriptor in a loop.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void on_ready(std::uint32_t events) = 0;
};

/// One thread's epoll loop with timers of nanosecond deadlines: these tools share no code with the program they
/// measure. Descriptors are watched edge-triggered, in both directions, until forgotten.
class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// The loop keeps the watcher alive until forget(fd).
  void watch(int fd, std::shared_ptr<Watcher> watcher,
             std::uint32_t events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
  void forget(int fd);
  void at(Nanos when, std::function<void()> action);
  void after(Nanos wait, std::function<void()> action) { at(now() + wait, std::move(action)); }

  /// Until stop().
  void run();
  void stop() { running_ = false; }

 private:
  struct Timer {
    Nanos when;
    std::uint64_t order;
    std::function<void()> action;
    bool operator<(const Timer& other) const { return when != other.when ? when > other.when : order > other.order; }
  };
  void run_timers();
  void wait_for_events();

  int epoll_;
  bool running_ = true;
  std::uint64_t timers_made_ = 0;
  std::priority_queue<Timer> timers_;
  std::vector<std::shared_ptr<Watcher>> watchers_;  ///< by descriptor
};

/// Ends the tool with a message: these programs have nobody to return an error to.
[[noreturn]] void die(const char* what);

/// Raises the soft limit of open descriptors to the hard one.
void raise_descriptor_limit();

/// Calls `action` once when standard input ends: that is how the driver tells a tool to finish.
void on_input_end(Loop& loop, std::function<void()> action);

}  // namespace sluice::bench
