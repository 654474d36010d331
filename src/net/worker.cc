#include "net/worker.h"

#include <boost/asio/post.hpp>

#include <exception>
#include <utility>

#include "net/timer_wheel.h"
#include "net/worker_impl.h"

namespace sluice::net {
namespace {

thread_local Worker* current_worker = nullptr;

constexpr int last_turns = 1000;

class SleepAwaiter {
 public:
  explicit SleepAwaiter(Duration wait) : wait_(wait) {}
  SleepAwaiter(const SleepAwaiter&) = delete;
  SleepAwaiter& operator=(const SleepAwaiter&) = delete;
  ~SleepAwaiter() {
    if (state_) state_->waiter = {};  // dropped while waiting: the handler must find nobody
  }
  bool await_ready() const { return wait_ <= Duration::zero(); }
  void await_suspend(std::coroutine_handle<> waiter) {
    state_ = std::make_shared<State>(Worker::current().impl().io, waiter);
    state_->timer.expires_after(wait_);
    auto handler = [state = state_](boost::system::error_code) {
      if (state->waiter) std::exchange(state->waiter, {}).resume();
    };
    state_->timer.async_wait(std::move(handler));
  }
  void await_resume() const {}

 private:
  struct State {
    State(boost::asio::io_context& io, std::coroutine_handle<> handle) : timer(io), waiter(handle) {}
    Worker::Impl::Timer timer;
    std::coroutine_handle<> waiter;
  };
  Duration wait_;
  std::shared_ptr<State> state_;
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

void Worker::Impl::want_tick(TimerWheel& wheel) {
  if (std::exchange(ticking, true)) return;
  ticker.expires_after(TimerWheel::tick);
  ticker.async_wait([this, &wheel](boost::system::error_code error) {
    ticking = false;
    if (error) return;
    const TimePoint now = Clock::now();
    lag.store((now - ticker.expiry()).count(), std::memory_order_relaxed);
    if (wheel.advance(now)) want_tick(wheel);
  });
}

Worker::Worker(std::size_t index)
    : index_(index),
      impl_(std::make_unique<Impl>()),
      wheel_(std::make_unique<TimerWheel>([this] { impl_->want_tick(*wheel_); })) {}

Worker::~Worker() = default;

Worker& Worker::current() { return *current_worker; }
Worker* Worker::current_or_null() { return current_worker; }

void Worker::run() {
  Worker* const before = std::exchange(current_worker, this);
  impl_->io.run();
  // Operations that were cancelled at the end still owe their waiters an answer; nothing new is waited for.
  impl_->io.restart();
  for (int turn = 0; turn < last_turns && impl_->io.poll() > 0; ++turn) {
  }
  impl_->io.stop();
  current_worker = before;
}

void Worker::stop() {
  post([this] { impl_->io.stop(); });
}

void Worker::post(std::function<void()> work) { boost::asio::post(impl_->io, std::move(work)); }

Duration Worker::lag() const { return Duration(impl_->lag.load(std::memory_order_relaxed)); }

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
