#pragma once

#include <string_view>

namespace sluice::http {

/// RFC 9110 5.6.2: what methods, field names and protocol names are made of. Empty: false.
bool is_token(std::string_view text);

/// A field value that fits into one line: no control character but the tab. Bytes above 127 pass.
bool is_field_value(std::string_view text);

/// Visible ASCII without spaces and "#": what a request target may be made of. Empty: false.
bool is_target(std::string_view text);

bool is_digit(char c);
/// Takes the next element off a comma-separated list, trimmed; may be empty.
std::string_view next_element(std::string_view& list);

}  // namespace sluice::http
