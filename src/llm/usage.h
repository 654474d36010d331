#pragma once

#include <cstdint>

namespace sluice::llm {

/// Tokens of one exchange, as the provider counts them: `prompt` includes `cached`, `completion` includes `reasoning`.
struct Usage {
  std::uint64_t prompt = 0;
  std::uint64_t completion = 0;
  std::uint64_t cached = 0;
  std::uint64_t cache_write = 0;  ///< prompt tokens written to the provider's cache (Anthropic prices them apart)
  std::uint64_t reasoning = 0;
  std::uint64_t audio_prompt = 0;
  std::uint64_t audio_completion = 0;
  bool known = false;      ///< something was counted at all
  bool estimated = false;  ///< our estimate, because the provider gave no count
};

}  // namespace sluice::llm
