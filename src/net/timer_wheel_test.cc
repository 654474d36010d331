#include "net/timer_wheel.h"

#include <gtest/gtest.h>

namespace sluice::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Counted final : TimerWheel::Entry {
  int fired = 0;
  void expired() override { ++fired; }
};

struct TimerWheelTest : testing::Test {
  int wanted = 0;
  TimerWheel wheel{[this] { ++wanted; }};
  TimePoint start = Clock::now();
};

TEST_F(TimerWheelTest, FiresOnceNeverEarly) {
  Counted entry;
  wheel.schedule(entry, start + milliseconds(120));
  EXPECT_TRUE(wheel.advance(start + milliseconds(100)));
  EXPECT_EQ(entry.fired, 0);
  EXPECT_FALSE(wheel.advance(start + milliseconds(250)));
  EXPECT_EQ(entry.fired, 1);
  wheel.advance(start + seconds(60));
  EXPECT_EQ(entry.fired, 1);
}

TEST_F(TimerWheelTest, AMovedDeadlineFiresAtItsNewTime) {
  Counted entry;
  wheel.schedule(entry, start + milliseconds(100));
  wheel.schedule(entry, start + milliseconds(900));
  wheel.advance(start + milliseconds(500));
  EXPECT_EQ(entry.fired, 0);
  wheel.advance(start + milliseconds(1100));
  EXPECT_EQ(entry.fired, 1);
}

TEST_F(TimerWheelTest, AnEarlierDeadlineTakesEffect) {
  Counted entry;
  wheel.schedule(entry, start + seconds(20));
  wheel.schedule(entry, start + milliseconds(100));
  wheel.advance(start + milliseconds(300));
  EXPECT_EQ(entry.fired, 1);
}

TEST_F(TimerWheelTest, FarDeadlinesOutliveTheHorizon) {
  Counted entry;
  wheel.schedule(entry, start + seconds(100));
  for (int second = 1; second < 100; ++second) wheel.advance(start + seconds(second));
  EXPECT_EQ(entry.fired, 0);
  wheel.advance(start + seconds(101));
  EXPECT_EQ(entry.fired, 1);
}

TEST_F(TimerWheelTest, ADestroyedEntryIsForgotten) {
  {
    Counted entry;
    wheel.schedule(entry, start + milliseconds(100));
  }
  EXPECT_FALSE(wheel.advance(start + seconds(1)));
}

TEST_F(TimerWheelTest, AsksForTicksOnlyWhenItHasEntries) {
  Counted first, second;
  wheel.schedule(first, start + seconds(1));
  wheel.schedule(second, start + seconds(1));
  EXPECT_EQ(wanted, 1);
  first.unlink();
  second.unlink();
  EXPECT_FALSE(wheel.advance(start + seconds(2)));
  wheel.schedule(first, never);
  EXPECT_EQ(wanted, 1);
}

TEST_F(TimerWheelTest, AnEntryMayScheduleItselfAgain) {
  struct Repeating final : TimerWheel::Entry {
    TimerWheel* wheel;
    TimePoint next;
    int fired = 0;
    void expired() override {
      ++fired;
      next += milliseconds(100);
      wheel->schedule(*this, next);
    }
  } entry;
  entry.wheel = &wheel;
  entry.next = start + milliseconds(100);
  wheel.schedule(entry, entry.next);
  for (int step = 1; step <= 100; ++step) wheel.advance(start + milliseconds(10 * step));
  EXPECT_GE(entry.fired, 5);
  EXPECT_LE(entry.fired, 10);
}

}  // namespace
}  // namespace sluice::net
