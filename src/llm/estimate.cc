#include "llm/estimate.h"

namespace sluice::llm {

std::uint64_t estimate_tokens(std::string_view text) {
  std::uint64_t quarters = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80)
      quarters += 1;  // ASCII
    else if (byte >= 0xE0)
      quarters += 4;  // the first byte of a three- or four-byte character
    else if (byte >= 0xC0)
      quarters += 2;  // Latin with accents, Greek, Cyrillic
  }
  return (quarters + 3) / 4;
}

}  // namespace sluice::llm
