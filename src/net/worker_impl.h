#pragma once

#include <sys/epoll.h>

#include <array>
#include <coroutine>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "net/mailbox.h"
#include "net/worker.h"

namespace sluice::net {

/// What a descriptor's events go to.
class EventSink {
 public:
  virtual ~EventSink() = default;
  /// `events` as epoll gives them. May remove and destroy any sink, also this one.
  virtual void on_events(std::uint32_t events) = 0;
};

/// The event loop behind a worker, seen only inside net/.
///
/// Descriptors are registered once, edge-triggered, for both directions: waiting for one costs no system call. (Asio
/// re-arms a descriptor with epoll_ctl for every wait, which was two of the six system calls of a proxied request.)
struct Worker::Impl {
 public:
  Impl();
  ~Impl();

  void run(TimerWheel& wheel);
  void stop() { stopping_ = true; }  ///< on the loop's thread
  const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }

  void add(int descriptor, EventSink& sink);
  /// No more events come for `sink`, also not from those collected already. The descriptor must still be open.
  void remove(int descriptor, EventSink& sink);

  /// Runs `work` in the loop's next turn. On the loop's thread.
  void later(std::function<void()> work);

  using Timers = std::multimap<TimePoint, std::coroutine_handle<>>;
  Timers::iterator start_timer(TimePoint when, std::coroutine_handle<> waiter) { return timers_.emplace(when, waiter); }
  void stop_timer(Timers::iterator timer) { timers_.erase(timer); }

  void want_tick();

 private:
  bool run_posted();
  bool run_later();
  bool run_timers(TimerWheel& wheel);
  bool dispatch(Duration wait);
  int collect(Duration wait);
  Duration time_to_wait() const;

  static constexpr std::size_t batch = 256;

  int epoll_ = -1;
  int wakeup_ = -1;  ///< eventfd that ends a wait
  std::array<epoll_event, batch> events_{};
  std::span<epoll_event> pending_;  ///< collected and not dispatched yet
  std::vector<std::function<void()>> later_;
  Timers timers_;
  TimePoint next_tick_ = never;
  bool stopping_ = false;
  bool fine_waits_ = true;  ///< epoll_pwait2 is there: kernels before 5.11 lack it, older sandboxes forbid it
  std::shared_ptr<Mailbox> mailbox_;
};

}  // namespace sluice::net
