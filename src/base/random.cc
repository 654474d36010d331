#include "base/random.h"

#include <sys/random.h>

#include <array>
#include <bit>
#include <chrono>

namespace sluice::random {
namespace {

using State = std::array<std::uint64_t, 4>;

// Spreads few random bits over all the state, for systems whose entropy cannot be read.
std::uint64_t split_mix(std::uint64_t& seed) {
  std::uint64_t z = (seed += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

State seeded() {
  State state{};
  if (::getrandom(state.data(), sizeof(state), 0) == sizeof(state)) return state;
  std::uint64_t seed = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()) ^
                       reinterpret_cast<std::uintptr_t>(&state);
  for (std::uint64_t& word : state) word = split_mix(seed);
  return state;
}

thread_local State state = seeded();

}  // namespace

std::uint64_t next() {
  State& s = state;
  const std::uint64_t result = std::rotl(s[0] + s[3], 23) + s[0];
  const std::uint64_t t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = std::rotl(s[3], 45);
  return result;
}

// Lemire's multiplication: no division, and a bias below bound / 2^64.
std::uint64_t below(std::uint64_t bound) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64);
}

double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

}  // namespace sluice::random
