#pragma once

#include <string>
#include <string_view>

/// JSON written by hand: the mock's answers have fixed shapes, and it must cost next to nothing beside what it tests.
namespace sluice::mock {

/// Appends `text` as the inside of a JSON string. REQUIRES: valid UTF-8.
void append_escaped(std::string& out, std::string_view text);
/// The same with its quotation marks.
void append_quoted(std::string& out, std::string_view text);
std::string json_string(std::string_view text);
/// For bytes of unknown encoding (header values): each byte above 0x7F becomes the character of that number.
void append_quoted_latin1(std::string& out, std::string_view bytes);

}  // namespace sluice::mock
