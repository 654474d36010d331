#pragma once

#include <coroutine>
#include <utility>

#include "base/task.h"
#include "net/timer_wheel.h"
#include "net/worker.h"

namespace sluice::net {

/// A task that was started and goes on while its owner waits for it with a deadline, or gives it up: the way to race
/// work against time or against an event. Destroying it cancels the task. One waiter.
template <class T>
class Running {
 public:
  explicit Running(Task<T> task) : task_(std::move(task)) { task_.start(); }

  bool done() const { return task_.done(); }
  /// REQUIRES: done().
  T take() { return task_.take(); }

  /// Resumes the waiter now, with the task unfinished. From a loop callback, never from inside the task.
  void interrupt() {
    if (waiting_) waiting_->give_up();
  }

  class Finished final : TimerWheel::Entry {
   public:
    Finished(Running& running, TimePoint deadline) : running_(running), deadline_(deadline) {}
    ~Finished() override {
      if (running_.waiting_ == this) detach();
    }
    bool await_ready() const { return running_.done(); }
    void await_suspend(std::coroutine_handle<> waiter) {
      waiter_ = waiter;
      running_.waiting_ = this;
      running_.task_.set_continuation(waiter);
      if (deadline_ != never) Worker::current().wheel().schedule(*this, deadline_);
    }
    bool await_resume() {
      if (running_.waiting_ == this) running_.waiting_ = nullptr;
      return running_.done();
    }

   private:
    friend class Running;
    void expired() override { give_up(); }
    void give_up() {
      detach();
      waiter_.resume();
    }
    void detach() {
      running_.waiting_ = nullptr;
      if (!running_.done()) running_.task_.set_continuation(std::noop_coroutine());
    }
    Running& running_;
    TimePoint deadline_;
    std::coroutine_handle<> waiter_;
  };

  /// `bool ended = co_await running.finished(deadline)`: false if the deadline passed or `interrupt` was called first;
  /// the task then still runs.
  Finished finished(TimePoint deadline = never) { return Finished(*this, deadline); }

 private:
  Task<T> task_;
  Finished* waiting_ = nullptr;
};

}  // namespace sluice::net
