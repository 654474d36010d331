#include "net/blocking_pool.h"

#include <pthread.h>
#include <signal.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "net/mailbox.h"
#include "net/worker.h"
#include "net/worker_impl.h"

namespace sluice::net {

namespace {

class BlockingPool {
 public:
  /// Never destroyed: a name look-up that hangs must not hold up the end of the process.
  static BlockingPool& process() {
    static auto* const pool = new BlockingPool;
    return *pool;
  }

  bool submit(std::function<void()> work) {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= most_queued) return false;
    queue_.push_back(std::move(work));
    if (idle_ < queue_.size() && threads_ < most_threads) start_thread();
    wanted_.notify_one();
    return true;
  }

 private:
  static constexpr std::size_t most_threads = 4;  // more than two, since two dead names would block all other look-ups
  static constexpr std::size_t most_queued = 1024;

  void start_thread() {
    ++threads_;
    // Signals are for the main thread: a new thread inherits the mask of its maker.
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread([this] { work_for_ever(); }).detach();
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  [[noreturn]] void work_for_ever() {
    std::unique_lock lock(mutex_);
    while (true) {
      ++idle_;
      wanted_.wait(lock, [this] { return !queue_.empty(); });
      --idle_;
      std::function<void()> work = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      work();
      work = nullptr;  // what it owns goes without the lock
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable wanted_;
  std::deque<std::function<void()>> queue_;
  std::size_t threads_ = 0;
  std::size_t idle_ = 0;
};

struct BlockingCall {
  std::function<void()> work;
  std::exception_ptr failure;
  std::shared_ptr<Signal> finished = Signal::make();

  void run() {
    try {
      std::exchange(work, nullptr)();
    } catch (...) {
      failure = std::current_exception();
    }
    finished->give();
  }
};

}  // namespace

Signal::Signal(std::shared_ptr<Mailbox> mailbox) : mailbox_(std::move(mailbox)) {}
Signal::~Signal() = default;

std::shared_ptr<Signal> Signal::make() {
  return std::shared_ptr<Signal>(new Signal(Worker::current().impl().mailbox()));
}

void Signal::give() {
  mailbox_->post([self = shared_from_this()] { self->arrive(); });
}

void Signal::arrive() {
  given_ = true;
  if (waiter_) std::exchange(waiter_, {}).resume();
}

bool submit_blocking(std::function<void()> work) { return BlockingPool::process().submit(std::move(work)); }

Task<bool> run_blocking(std::function<void()> work) {
  const auto call = std::make_shared<BlockingCall>();
  call->work = std::move(work);
  if (!submit_blocking([call] { call->run(); })) co_return false;
  co_await call->finished->wait();
  if (call->failure) std::rethrow_exception(call->failure);
  co_return true;
}

}  // namespace sluice::net
