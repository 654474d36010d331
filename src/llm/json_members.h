#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace sluice::llm {

/// One member of a JSON object as it stands in the text. Views into that text.
struct JsonMember {
  std::string_view key;    ///< between its quotes, escapes as they are
  std::string_view value;  ///< without surrounding white space

  /// Compares what the key means, so that "mod\u0065l" is "model".
  bool is(std::string_view name) const;
  bool is_string() const { return value.starts_with('"'); }
  /// The text a string value means; empty for other values and broken escapes.
  std::string as_string() const;
};

/// The members of the object that `text` is, in their order, repeated keys included. Looks at the structure only:
/// values inside are skipped, not validated. Linear, no allocation but the vector. Fails (bad_request, client) with the
/// offset of what is wrong, or over 1000 members.
Result<std::vector<JsonMember>> json_members(std::string_view text);

/// The elements of the array that `text` is.
Result<std::vector<std::string_view>> json_elements(std::string_view text);

/// The last member of that name, as most parsers take it; null if there is none.
const JsonMember* find_member(const std::vector<JsonMember>& members, std::string_view name);

}  // namespace sluice::llm
