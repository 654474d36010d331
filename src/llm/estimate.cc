#include "llm/estimate.h"

namespace sluice::llm {
namespace {

/// Without branches: 1 for ASCII, 2 for the first byte of Latin with accents, Greek or Cyrillic, 4 for that of a three-
/// or four-byte character, 0 for the bytes that follow a first one.
constexpr std::uint8_t quarters_of(unsigned char byte) {
  return static_cast<std::uint8_t>((byte < 0x80) + 2 * (byte >= 0xC0) + 2 * (byte >= 0xE0));
}

}  // namespace

std::uint64_t quarter_tokens(std::string_view text) {
  // Narrow sums of short blocks make wide vectors.
  constexpr std::size_t block = 48;
  std::uint64_t quarters = 0;
  for (; text.size() >= block; text.remove_prefix(block)) {
    std::uint8_t sum = 0;
    for (std::size_t i = 0; i < block; ++i) sum += quarters_of(static_cast<unsigned char>(text[i]));
    quarters += sum;
  }
  for (const char c : text) quarters += quarters_of(static_cast<unsigned char>(c));
  return quarters;
}

std::uint64_t estimate_tokens(std::string_view text) { return (quarter_tokens(text) + 3) / 4; }

}  // namespace sluice::llm
