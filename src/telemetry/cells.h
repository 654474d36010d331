#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/clock.h"

/// Values that one thread writes and any thread reads: adding is a load and a store, without a lock or a locked
/// instruction, and a reader sees every value a little late but whole.
namespace sluice::telemetry {

template <class T>
class Cell {
 public:
  /// REQUIRES: always the same thread, or threads that hand the cell over to each other.
  void add(T change) { value_.store(value_.load(std::memory_order_relaxed) + change, std::memory_order_relaxed); }
  T get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<T> value_{};
};

/// Upper bounds of the buckets, in seconds.
inline constexpr std::array duration_bounds{0.005, 0.01, 0.02, 0.04,  0.08,  0.16,  0.32,  0.64,
                                            1.28,  2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84};
inline constexpr std::array first_token_bounds{0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                               0.75,  1.0,   1.5,  2.5,   5.0,  7.5, 10.0, 30.0};
inline constexpr std::array between_token_bounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1,
                                                 0.15,  0.2,    0.3,   0.5,  1.0,   2.5,  10.0};

/// The index of the bucket that `value` falls into; `bounds.size()` is the last, without a bound.
template <std::size_t N>
std::size_t bucket_of(const std::array<double, N>& bounds, double value) {
  std::size_t index = 0;
  while (index < N && value > bounds[index]) ++index;
  return index;
}

template <const auto& bounds>
class Histogram {
 public:
  static constexpr std::size_t buckets = bounds.size() + 1;

  void observe(double value) {
    counts_[bucket_of(bounds, value)].add(1);
    sum_.add(value);
  }
  /// Adds what was counted elsewhere, by bucket.
  void merge(std::span<const std::uint32_t, buckets> counts, double sum) {
    for (std::size_t i = 0; i < buckets; ++i) {
      if (counts[i] != 0) counts_[i].add(counts[i]);
    }
    sum_.add(sum);
  }
  void add_to(std::array<std::uint64_t, buckets>& counts, double& sum) const {
    for (std::size_t i = 0; i < buckets; ++i) counts[i] += counts_[i].get();
    sum += sum_.get();
  }

 private:
  std::array<Cell<std::uint64_t>, buckets> counts_;
  Cell<double> sum_;
};

/// The pauses between the pieces of one answer, kept with its exchange and settled at its end.
class Gaps {
 public:
  static constexpr std::size_t buckets = between_token_bounds.size() + 1;

  /// A piece with content came. The first starts the measurement.
  void note(TimePoint now) {
    if (last_ != TimePoint{}) {
      const double gap = seconds(now - last_);
      ++counts_[bucket_of(between_token_bounds, gap)];
      sum_ += gap;
    }
    last_ = now;
  }
  const std::array<std::uint32_t, buckets>& counts() const { return counts_; }
  double sum() const { return sum_; }

 private:
  std::array<std::uint32_t, buckets> counts_{};
  double sum_ = 0;
  TimePoint last_{};
};

}  // namespace sluice::telemetry
