#pragma once

#include <cstdint>

/// Fast random numbers, one generator (xoshiro256++) for each thread, seeded by the system. Not for secrets: whoever
/// sees enough numbers can tell the next ones.
namespace sluice::random {

std::uint64_t next();
/// Uniform in [0, bound). REQUIRES: bound > 0.
std::uint64_t below(std::uint64_t bound);
/// Uniform in [0, 1).
double unit();

}  // namespace sluice::random
