#include "net/worker.h"

#include <exception>
#include <utility>

#include "net/timer_wheel.h"
#include "net/worker_impl.h"

namespace sluice::net {
namespace {

thread_local Worker* current_worker = nullptr;

class SleepAwaiter {
 public:
  explicit SleepAwaiter(Duration wait) : wait_(wait) {}
  SleepAwaiter(const SleepAwaiter&) = delete;
  SleepAwaiter& operator=(const SleepAwaiter&) = delete;
  ~SleepAwaiter() {
    if (loop_) loop_->stop_timer(timer_);  // dropped while waiting
  }
  bool await_ready() const { return wait_ <= Duration::zero(); }
  void await_suspend(std::coroutine_handle<> waiter) {
    loop_ = &Worker::current().impl();
    timer_ = loop_->start_timer(Clock::now() + wait_, waiter);
  }
  void await_resume() { loop_ = nullptr; }

 private:
  Duration wait_;
  Worker::Impl* loop_ = nullptr;
  Worker::Impl::Timers::iterator timer_;
};

Task<void> run_and_stop(Task<void> task, Worker& worker, std::exception_ptr& failure) {
  try {
    co_await task;
  } catch (...) {
    failure = std::current_exception();
  }
  worker.stop();
}

}  // namespace

Worker::Worker(std::size_t index)
    : index_(index),
      impl_(std::make_unique<Impl>()),
      wheel_(std::make_unique<TimerWheel>([this] { impl_->want_tick(); })) {}

Worker::~Worker() = default;

Worker& Worker::current() { return *current_worker; }
Worker* Worker::current_or_null() { return current_worker; }

void Worker::run() {
  Worker* const before = std::exchange(current_worker, this);
  impl_->run(*wheel_);
  current_worker = before;
}

void Worker::stop() {
  post([this] { impl_->stop(); });
}

void Worker::post(std::function<void()> work) { impl_->mailbox()->post(std::move(work)); }

Task<void> sleep_for(Duration wait) { co_await SleepAwaiter(wait); }

void run_until_done(Task<void> task) {
  Worker worker(0);
  std::exception_ptr failure;
  auto start = [&] { spawn(run_and_stop(std::move(task), worker, failure)); };
  worker.post(start);
  worker.run();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace sluice::net
