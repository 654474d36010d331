#include "net/resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "net/running.h"
#include "net/worker.h"

namespace sluice::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// A name server that answers as told, and a clock that stands still. Shared with queries that outlast their test.
class Names {
 public:
  Result<std::vector<Address>> look_up(const std::string&) {
    std::unique_lock lock(mutex_);
    ++asked_;
    changed_.wait(lock, [this] { return !held_; });
    if (broken_) return fail(ErrorKind::resolve, ErrorSource::upstream, "no such name");
    return std::vector{*Address::from_literal(address_, 0)};
  }
  void set_address(const std::string& address) {
    const std::lock_guard lock(mutex_);
    address_ = address;
  }
  void set_broken(bool broken) {
    const std::lock_guard lock(mutex_);
    broken_ = broken;
  }
  /// While held, no look-up ends.
  void set_held(bool held) {
    const std::lock_guard lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }
  int asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  void pass(Duration time) { now_ += time.count(); }
  TimePoint now() const { return TimePoint(Duration(now_)); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string address_ = "10.0.0.1";
  bool broken_ = false;
  bool held_ = false;
  int asked_ = 0;
  std::atomic<std::int64_t> now_ = Duration(seconds(1000)).count();
};

struct Fixture {
  std::shared_ptr<Names> names = std::make_shared<Names>();
  Resolver resolver;

  explicit Fixture(std::size_t max_names = 1024) : resolver(options(names, max_names)) {}
  static Resolver::Options options(std::shared_ptr<Names> names, std::size_t max_names) {
    Resolver::Options result;
    result.max_names = max_names;
    result.stale_wait = milliseconds(60);
    result.look_up = [names](const std::string& host) { return names->look_up(host); };
    result.clock = [names] { return names->now(); };
    return result;
  }
  /// The first address in text, or the error's.
  Task<std::string> ask(std::string host = "a.example", TimePoint deadline = never) {
    Result<std::vector<Address>> got = co_await resolver.resolve(host, 443, deadline);
    if (!got) {
      EXPECT_EQ(got.error().source, ErrorSource::upstream);
      EXPECT_EQ(got.error().retryable, Retryable::yes);
      co_return std::string(code_of(got.error().kind)) + ": " + got.error().text;
    }
    co_return got->front().to_string();
  }
};

Task<void> remembers() {
  Fixture f;
  EXPECT_EQ(co_await f.ask(), "10.0.0.1:443");
  f.names->set_address("10.0.0.2");
  f.names->pass(seconds(29));
  EXPECT_EQ(co_await f.ask("A.Example"), "10.0.0.1:443");
  EXPECT_EQ(f.names->asked(), 1);
  f.names->pass(seconds(2));
  EXPECT_EQ(co_await f.ask(), "10.0.0.2:443");
  EXPECT_EQ(f.names->asked(), 2);
}

TEST(Resolver, RemembersForItsTtl) { run_until_done(remembers()); }

Task<void> literals() {
  Fixture f;
  f.names->set_held(true);
  EXPECT_EQ(co_await f.ask("192.0.2.7"), "192.0.2.7:443");
  EXPECT_EQ(co_await f.ask("[2001:db8::7]"), "[2001:db8::7]:443");
  EXPECT_EQ(f.names->asked(), 0);
}

TEST(Resolver, AnswersLiteralsAtOnce) { run_until_done(literals()); }

Task<void> remembers_failures() {
  Fixture f;
  f.names->set_broken(true);
  EXPECT_EQ(co_await f.ask(), "resolve_failed: cannot resolve a.example: no such name");
  f.names->set_broken(false);
  f.names->pass(milliseconds(1900));
  EXPECT_EQ(co_await f.ask(), "resolve_failed: cannot resolve a.example: no such name");
  EXPECT_EQ(f.names->asked(), 1);
  f.names->pass(milliseconds(200));
  EXPECT_EQ(co_await f.ask(), "10.0.0.1:443");
}

TEST(Resolver, RemembersFailuresBriefly) { run_until_done(remembers_failures()); }

Task<void> serves_stale() {
  Fixture f;
  EXPECT_EQ(co_await f.ask(), "10.0.0.1:443");
  f.names->set_broken(true);
  f.names->pass(minutes(4));
  EXPECT_EQ(co_await f.ask(), "10.0.0.1:443");
  EXPECT_EQ(co_await f.ask(), "10.0.0.1:443");
  EXPECT_EQ(f.names->asked(), 2) << "a failure is remembered beside the old answer";
  f.names->pass(minutes(2));
  EXPECT_EQ(co_await f.ask(), "resolve_failed: cannot resolve a.example: no such name");
}

TEST(Resolver, ServesOldAnswersWhileLookUpsFail) { run_until_done(serves_stale()); }

Task<void> serves_stale_when_slow() {
  Fixture f;
  EXPECT_EQ(co_await f.ask(), "10.0.0.1:443");
  f.names->set_address("10.0.0.2");
  f.names->set_held(true);
  f.names->pass(minutes(1));
  EXPECT_EQ(co_await f.ask(), "10.0.0.1:443");
  Running<std::string> second(f.ask());
  EXPECT_TRUE(second.done()) << "nobody waits again for a query that was too slow";
  EXPECT_EQ(second.take(), "10.0.0.1:443");
  f.names->set_held(false);
  std::string got;
  while (got != "10.0.0.2:443") {
    co_await sleep_for(milliseconds(1));
    got = co_await f.ask();
  }
  EXPECT_EQ(f.names->asked(), 2);
}

TEST(Resolver, ServesOldAnswersWhileLookUpsAreSlow) { run_until_done(serves_stale_when_slow()); }

Task<void> shares_a_query() {
  Fixture f;
  f.names->set_held(true);
  std::vector<std::unique_ptr<Running<std::string>>> asking;
  for (int i = 0; i < 20; ++i) asking.push_back(std::make_unique<Running<std::string>>(f.ask()));
  asking.pop_back();  // dropped while it waits
  f.names->set_held(false);
  for (auto& one : asking) {
    co_await one->finished();
    EXPECT_EQ(one->take(), "10.0.0.1:443");
  }
  EXPECT_EQ(f.names->asked(), 1);
}

TEST(Resolver, LookUpsOfOneNameShareAQuery) { run_until_done(shares_a_query()); }

Task<void> obeys_the_deadline() {
  Fixture f;
  f.names->set_held(true);
  EXPECT_EQ(co_await f.ask("a.example", Clock::now() + milliseconds(60)),
            "timeout: timed out while resolving a.example");
  f.names->set_held(false);
  EXPECT_EQ(co_await f.ask(), "10.0.0.1:443");
  EXPECT_EQ(f.names->asked(), 1) << "the late answer was not lost";
}

TEST(Resolver, ObeysTheDeadline) { run_until_done(obeys_the_deadline()); }

Task<void> is_bounded() {
  Fixture f(10);
  EXPECT_EQ(co_await f.ask("first"), "10.0.0.1:443");
  for (int i = 0; i < 50; ++i) {
    f.names->pass(milliseconds(1));
    EXPECT_EQ(co_await f.ask("host" + std::to_string(i)), "10.0.0.1:443");
    EXPECT_EQ(co_await f.ask("first"), "10.0.0.1:443");
  }
  EXPECT_EQ(f.resolver.size(), 10u);
  EXPECT_EQ(f.names->asked(), 51) << "what is in use stays";
}

TEST(Resolver, ForgetsWhatIsNotUsed) { run_until_done(is_bounded()); }

Task<void> refuses_too_many_at_once() {
  Fixture f(2);
  f.names->set_held(true);
  Running<std::string> one(f.ask("one")), two(f.ask("two"));
  EXPECT_EQ(co_await f.ask("three"), "resolve_failed: cannot resolve three: too many names are looked up at once");
  f.names->set_held(false);
  EXPECT_TRUE(co_await one.finished());
  EXPECT_TRUE(co_await two.finished());
}

TEST(Resolver, RefusesTooManyNamesAtOnce) { run_until_done(refuses_too_many_at_once()); }

TEST(Resolver, ServesManyWorkersAtOnce) {
  Fixture f;
  const auto ask_often = [](Fixture& fixture) -> Task<void> {
    for (int i = 0; i < 50; ++i) {
      fixture.names->pass(seconds(i % 3 * 20));
      EXPECT_EQ(co_await fixture.ask("host" + std::to_string(i % 5)), "10.0.0.1:443");
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { run_until_done(ask_often(f)); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(f.resolver.size(), 5u);
}

Task<void> asks_the_system() {
  const Result<std::vector<Address>> local = co_await resolve("localhost", 80, never);
  EXPECT_TRUE(local) << local.error().text;
  if (local) EXPECT_TRUE(local->front().is_loopback());
  const Result<std::vector<Address>> unknown = co_await resolve("no such.invalid", 80, never);
  EXPECT_FALSE(unknown);
  EXPECT_THAT(unknown.error().text, testing::StartsWith("cannot resolve no such.invalid: "));
}

TEST(Resolver, AsksTheSystem) { run_until_done(asks_the_system()); }

}  // namespace
}  // namespace sluice::net
