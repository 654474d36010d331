#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

/// The mock's own tokens: a word of up to 12 ASCII letters and digits with the white space before it, or one other
/// character. Not a real tokenizer, but near enough to its counts, and never cutting a character.
namespace sluice::mock {

/// Where the token that begins at `from` ends. REQUIRES: from < text.size().
std::size_t token_end(std::string_view text, std::size_t from);
std::uint64_t count_tokens(std::string_view text);
/// The ends of all tokens from `from` on, appended.
void split_tokens(std::string_view text, std::size_t from, std::vector<std::uint32_t>& ends);

}  // namespace sluice::mock
