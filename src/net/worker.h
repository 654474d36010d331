#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/task.h"

namespace sluice::net {

class TimerWheel;

/// One thread with its own event loop. Everything a connection touches belongs to one worker, so the data path has no
/// locks: what must cross threads is posted.
class Worker {
 public:
  explicit Worker(std::size_t index);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// The worker whose loop runs on this thread. REQUIRES: called from inside `run`.
  static Worker& current();
  static Worker* current_or_null();

  std::size_t index() const { return index_; }

  /// Runs the loop on the calling thread until `stop`.
  void run();
  /// From any thread. Work that was posted before is still done.
  void stop();
  /// Runs `work` on this worker's loop, later. From any thread.
  void post(std::function<void()> work);

  TimerWheel& wheel() { return *wheel_; }
  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::size_t index_;
  std::unique_ptr<Impl> impl_;
  std::unique_ptr<TimerWheel> wheel_;
};

/// Completes after `wait` on the current worker, to about a millisecond. Dropping the task cancels the timer.
Task<void> sleep_for(Duration wait);

/// Runs `work` on a small pool of threads and completes on the calling worker: for whatever would hold a loop for more
/// than about 200 microseconds (name look-ups, file reads, inference). The queue is bounded; `false` means it was full
/// and `work` did not run. If the task is dropped, `work` still runs to its end: it must own what it touches.
Task<bool> run_blocking(std::function<void()> work);

/// Runs `task` to its end on a private loop on this thread: for tests and one-shot commands.
void run_until_done(Task<void> task);

}  // namespace sluice::net
