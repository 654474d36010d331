#pragma once

#include <coroutine>
#include <functional>
#include <memory>

namespace sluice::net {

class Mailbox;

/// An event that any thread gives once and one task of one worker waits for. Late is harmless: a signal given after its
/// task was dropped, or after its worker is gone, reaches nobody.
class Signal : public std::enable_shared_from_this<Signal> {
 public:
  /// Bound to the current worker. REQUIRES: a current worker.
  static std::shared_ptr<Signal> make();
  ~Signal();

  /// From any thread. What was written before is seen by the one who waits.
  void give();

  class Wait {
   public:
    explicit Wait(Signal& signal) : signal_(signal) {}
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;
    ~Wait() { signal_.waiter_ = {}; }
    bool await_ready() const { return signal_.given_; }
    void await_suspend(std::coroutine_handle<> waiter) { signal_.waiter_ = waiter; }
    void await_resume() const {}

   private:
    Signal& signal_;
  };
  /// `co_await signal->wait();` On the signal's worker, one at a time; the signal outlives the wait.
  Wait wait() { return Wait(*this); }

 private:
  explicit Signal(std::shared_ptr<Mailbox> mailbox);
  void arrive();

  std::shared_ptr<Mailbox> mailbox_;
  // Touched by the worker's thread only.
  bool given_ = false;
  std::coroutine_handle<> waiter_;
};

/// Hands `work` to the process-wide pool: a few threads, started when first needed, that never hold up the process's
/// end. False: the queue (1,024) is full and `work` was not taken. From any thread. `work` must not throw.
/// See `run_blocking` in worker.h for waiting.
[[nodiscard]] bool submit_blocking(std::function<void()> work);

}  // namespace sluice::net
