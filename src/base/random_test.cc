#include "base/random.h"

#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <thread>
#include <vector>

namespace sluice::random {
namespace {

TEST(Random, StaysInItsRange) {
  std::vector<int> seen(7);
  for (int i = 0; i < 10'000; ++i) {
    ++seen.at(below(7));
    const double value = unit();
    ASSERT_GE(value, 0);
    ASSERT_LT(value, 1);
  }
  // 10,000 / 7 = 1,429 with a deviation of 35: 20 deviations off would be no accident.
  for (const int count : seen) EXPECT_NEAR(count, 1429, 700);
  EXPECT_EQ(below(1), 0u);
}

TEST(Random, ThreadsDoNotRepeatEachOther) {
  std::mutex mutex;
  std::set<std::uint64_t> numbers;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        const std::lock_guard lock(mutex);
        numbers.insert(next());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(numbers.size(), 4000u);
}

}  // namespace
}  // namespace sluice::random
