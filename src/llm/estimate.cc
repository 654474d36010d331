#include "llm/estimate.h"

namespace sluice::llm {
namespace {

/// Without branches: 1 for ASCII, 2 for the first byte of Latin with accents, Greek or Cyrillic, 4 for that of a three-
/// or four-byte character, 0 for the bytes that follow a first one.
constexpr unsigned quarters_of(unsigned char byte) {
  return static_cast<unsigned>(byte < 0x80) + 2 * static_cast<unsigned>(byte >= 0xC0) +
         2 * static_cast<unsigned>(byte >= 0xE0);
}

}  // namespace

std::uint64_t quarter_tokens(std::string_view text) {
  std::uint64_t quarters = 0;
  for (const char c : text) quarters += quarters_of(static_cast<unsigned char>(c));
  return quarters;
}

std::uint64_t estimate_tokens(std::string_view text) { return (quarter_tokens(text) + 3) / 4; }

}  // namespace sluice::llm
