#include "http/chars.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace sluice::http {
namespace {

constexpr unsigned char token = 1;
constexpr unsigned char value = 2;
constexpr unsigned char target = 4;

constexpr bool is_alnum(int c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

constexpr std::array<unsigned char, 256> make_classes() {
  std::array<unsigned char, 256> classes{};
  for (int c = 0; c < 256; ++c) {
    const bool visible = c > ' ' && c < 0x7f;
    const bool marks = std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
    if (is_alnum(c) || (visible && marks)) classes[c] |= token;
    if ((c >= ' ' && c != 0x7f) || c == '\t') classes[c] |= value;
    if (visible && c != '#') classes[c] |= target;
  }
  return classes;
}

constexpr std::array<unsigned char, 256> classes = make_classes();

bool all_of(std::string_view text, unsigned char wanted) {
  return std::all_of(text.begin(), text.end(),
                     [wanted](char c) { return (classes[static_cast<unsigned char>(c)] & wanted) != 0; });
}

}  // namespace

bool is_token(std::string_view text) { return !text.empty() && all_of(text, token); }
bool is_field_value(std::string_view text) { return all_of(text, value); }
bool is_target(std::string_view text) { return !text.empty() && all_of(text, target); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view next_element(std::string_view& list) {
  const std::size_t comma = list.find(',');
  const std::string_view element = text::trim(list.substr(0, comma));
  list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  return element;
}

}  // namespace sluice::http
