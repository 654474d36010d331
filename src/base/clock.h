#pragma once

#include <chrono>

namespace sluice {

/// Monotonic time for deadlines and durations; wall time is only for logs and `created` stamps.
using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = std::chrono::nanoseconds;

inline constexpr TimePoint never = TimePoint::max();

/// `now + wait`, where a zero or negative wait means "no deadline".
inline TimePoint deadline_after(Duration wait) { return wait <= Duration::zero() ? never : Clock::now() + wait; }

inline double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace sluice
