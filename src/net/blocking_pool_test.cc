#include "net/blocking_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "net/running.h"
#include "net/worker.h"

namespace sluice::net {
namespace {

/// Holds pool threads until it is opened.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

Task<void> runs_elsewhere_and_comes_back() {
  const std::thread::id here = std::this_thread::get_id();
  std::thread::id there = here;
  std::function<void()> work = [&there] { there = std::this_thread::get_id(); };
  EXPECT_TRUE(co_await run_blocking(work));
  EXPECT_NE(there, here);
  EXPECT_EQ(std::this_thread::get_id(), here);
}

TEST(RunBlocking, RunsElsewhereAndComesBack) { run_until_done(runs_elsewhere_and_comes_back()); }

Task<void> passes_exceptions_on() {
  std::function<void()> work = [] { throw std::runtime_error("broken"); };
  EXPECT_THROW(co_await run_blocking(work), std::runtime_error);
}

TEST(RunBlocking, PassesExceptionsOn) { run_until_done(passes_exceptions_on()); }

Task<void> many_at_once() {
  std::atomic<int> done = 0;
  std::vector<std::unique_ptr<Running<bool>>> running;
  std::function<void()> work = [&done] { ++done; };
  for (int i = 0; i < 500; ++i) running.push_back(std::make_unique<Running<bool>>(run_blocking(work)));
  for (auto& one : running) {
    co_await one->finished();
    EXPECT_TRUE(one->take());
  }
  EXPECT_EQ(done, 500);
}

TEST(RunBlocking, CompletesEachOfMany) { run_until_done(many_at_once()); }

Task<void> dropped_while_it_runs(std::shared_ptr<Gate> gate, std::shared_ptr<std::atomic<bool>> finished) {
  std::function<void()> work = [gate, finished] {
    gate->pass();
    *finished = true;
  };
  {
    Running<bool> running(run_blocking(work));
    EXPECT_FALSE(running.done());
  }
  gate->open();
  while (!*finished) co_await sleep_for(std::chrono::milliseconds(1));
  co_await sleep_for(std::chrono::milliseconds(5));  // the signal arrives and finds nobody
}

TEST(RunBlocking, ADroppedTaskIsHarmless) {
  run_until_done(dropped_while_it_runs(std::make_shared<Gate>(), std::make_shared<std::atomic<bool>>(false)));
}

Task<void> leave_a_call_behind(std::shared_ptr<Gate> gate, std::unique_ptr<Running<bool>>& left) {
  std::function<void()> work = [gate] { gate->pass(); };
  left = std::make_unique<Running<bool>>(run_blocking(work));
  co_return;
}

TEST(RunBlocking, OutlivesItsWorker) {
  const auto gate = std::make_shared<Gate>();
  std::unique_ptr<Running<bool>> left;
  run_until_done(leave_a_call_behind(gate, left));
  gate->open();
  while (gate.use_count() > 1) std::this_thread::yield();
  EXPECT_FALSE(left->done());
}

Task<void> overfill(std::shared_ptr<Gate> gate) {
  int taken = 0;
  while (submit_blocking([gate] { gate->pass(); })) ++taken;
  EXPECT_GE(taken, 1024);
  EXPECT_LE(taken, 1024 + 16);
  std::function<void()> work = [] { ADD_FAILURE() << "must not run"; };
  EXPECT_FALSE(co_await run_blocking(work));
  gate->open();
  while (gate.use_count() > 1) co_await sleep_for(std::chrono::milliseconds(1));
  std::function<void()> later = [] {};
  EXPECT_TRUE(co_await run_blocking(later));
}

TEST(RunBlocking, RefusesWhenTheQueueIsFull) { run_until_done(overfill(std::make_shared<Gate>())); }

}  // namespace
}  // namespace sluice::net
