#include "provider/mock/tokens.h"

#include <algorithm>
#include <array>

namespace sluice::mock {
namespace {

constexpr std::size_t longest_word = 12;

constexpr std::array<bool, 256> is_word = [] {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[c] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[c] = table[c - 'a' + 'A'] = true;
  return table;
}();

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

}  // namespace

std::size_t token_end(std::string_view text, std::size_t from) {
  std::size_t at = from;
  while (at < text.size() && is_space(text[at])) ++at;
  if (at == text.size()) return at;
  if (is_word[static_cast<unsigned char>(text[at])]) {
    const std::size_t limit = std::min(text.size(), at + longest_word);
    while (at < limit && is_word[static_cast<unsigned char>(text[at])]) ++at;
    return at;
  }
  ++at;
  while (at < text.size() && continues_character(text[at])) ++at;
  return at;
}

std::uint64_t count_tokens(std::string_view text) {
  std::uint64_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++count) at = token_end(text, at);
  return count;
}

void split_tokens(std::string_view text, std::size_t from, std::vector<std::uint32_t>& ends) {
  while (from < text.size()) {
    from = token_end(text, from);
    ends.push_back(static_cast<std::uint32_t>(from));
  }
}

}  // namespace sluice::mock
