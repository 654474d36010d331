#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

/// Steps over JSON text in place. Nothing is validated.
namespace sluice::llm {

namespace swar {

static_assert(std::endian::native == std::endian::little);
constexpr std::uint64_t ones = 0x0101010101010101;

/// The high bit of every byte of `word` that is `c`; exact up to the first.
constexpr std::uint64_t matches(std::uint64_t word, char c) {
  const std::uint64_t zeros = word ^ (ones * static_cast<unsigned char>(c));
  return (zeros - ones) & ~zeros & (ones << 7);
}

}  // namespace swar

/// As `json_string_end`, for strings that turned out to be long: from quote to quote, which is a memchr.
inline std::size_t json_long_string_end(std::string_view text, std::size_t from) {
  for (std::size_t quote = text.find('"', from); quote != std::string_view::npos; quote = text.find('"', quote + 1)) {
    std::size_t slash = quote;
    while (slash > from && text[slash - 1] == '\\') --slash;
    if ((quote - slash) % 2 == 0) return quote;
  }
  return std::string_view::npos;
}

/// The offset of the quote that ends the string whose text begins at `at`, or npos. Linear.
inline std::size_t json_string_end(std::string_view text, std::size_t at) {
  constexpr std::size_t near = 64;
  const std::size_t far = at + near;
  while (at + sizeof(std::uint64_t) <= text.size()) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + at, sizeof word);
    const std::uint64_t found = swar::matches(word, '"') | swar::matches(word, '\\');
    if (found == 0) {
      at += sizeof word;
      if (at >= far) return json_long_string_end(text, at);
      continue;
    }
    at += static_cast<std::size_t>(std::countr_zero(found)) / 8;
    if (text[at] == '"') return at;
    at += 2;
  }
  for (; at < text.size(); ++at) {
    if (text[at] == '"') return at;
    if (text[at] == '\\') ++at;
  }
  return std::string_view::npos;
}

/// The object or array that `text` begins with; empty if none does, or if it does not end in `text`.
inline std::string_view json_container(std::string_view text) {
  if (!text.starts_with('{') && !text.starts_with('[')) return {};
  std::size_t depth = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') {
      at = json_string_end(text, at + 1);
      if (at == std::string_view::npos) return {};
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (depth == 0) return text.substr(0, at + 1);
  }
  return {};
}

}  // namespace sluice::llm
