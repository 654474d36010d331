#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::llm {

/// How many tokens a text has, roughly: about one for four bytes of ASCII and one for each character of Chinese,
/// Japanese or Korean, as today's byte-pair vocabularies come to on average. Good to about a third; always marked as an
/// estimate where it is used.
std::uint64_t estimate_tokens(std::string_view text);

/// The same in quarters of a token, to be summed over many small pieces.
std::uint64_t quarter_tokens(std::string_view text);

}  // namespace sluice::llm
