#include "llm/estimate.h"

namespace sluice::llm {
namespace {

constexpr std::uint64_t quarters_of(unsigned char byte) {
  if (byte < 0x80) return 1;   // ASCII
  if (byte >= 0xE0) return 4;  // the first byte of a three- or four-byte character
  if (byte >= 0xC0) return 2;  // Latin with accents, Greek, Cyrillic
  return 0;
}

}  // namespace

std::uint64_t quarter_tokens(std::string_view text) {
  std::uint64_t quarters = 0;
  for (const char c : text) quarters += quarters_of(static_cast<unsigned char>(c));
  return quarters;
}

std::uint64_t estimate_tokens(std::string_view text) { return (quarter_tokens(text) + 3) / 4; }

}  // namespace sluice::llm
