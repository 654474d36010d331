#include "provider/mock/json_text.h"

#include <array>

namespace sluice::mock {
namespace {

constexpr std::array<bool, 256> needs_escape = [] {
  std::array<bool, 256> table{};
  for (int c = 0; c < 0x20; ++c) table[c] = true;
  table['"'] = table['\\'] = table[0x7F] = true;
  return table;
}();

void append_unicode(std::string& out, unsigned char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += "\\u00";
  out += digits[c >> 4];
  out += digits[c & 15];
}

void append_escape(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      append_unicode(out, static_cast<unsigned char>(c));
  }
}

}  // namespace

void append_escaped(std::string& out, std::string_view text) {
  std::size_t plain = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!needs_escape[static_cast<unsigned char>(text[at])]) continue;
    out.append(text, plain, at - plain);
    append_escape(out, text[at]);
    plain = at + 1;
  }
  out.append(text, plain);
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text);
  out += '"';
}

std::string json_string(std::string_view text) {
  std::string out;
  append_quoted(out, text);
  return out;
}

void append_quoted_latin1(std::string& out, std::string_view bytes) {
  out += '"';
  for (const char c : bytes) {
    if (static_cast<unsigned char>(c) > 0x7F) {
      append_unicode(out, static_cast<unsigned char>(c));
    } else {
      append_escaped(out, {&c, 1});
    }
  }
  out += '"';
}

}  // namespace sluice::mock
