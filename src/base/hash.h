#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// Fast hashes (XXH3) for tables and fingerprints. Stable over runs and machines; not for secrets: collisions can be
/// made.
namespace sluice::hash {

struct Hash128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  auto operator<=>(const Hash128&) const = default;
};

std::uint64_t of(std::string_view bytes, std::uint64_t seed = 0);
Hash128 of128(std::string_view bytes, std::uint64_t seed = 0);

/// For unordered tables with string keys that are searched by views.
struct Transparent {
  using is_transparent = void;
  std::size_t operator()(std::string_view bytes) const { return of(bytes); }
};

}  // namespace sluice::hash
