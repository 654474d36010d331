#pragma once

#include <string>
#include <string_view>

#include "llm/json_members.h"

/// Byte-exact edits of a JSON object: the value of a member is replaced where it stands, everything else (unknown
/// fields, spelling of numbers, order, white space) survives byte for byte.
namespace sluice::llm {

/// A JSON string literal that means `text`.
std::string json_string(std::string_view text);

/// `text` with the value of every member `name` replaced by `value` (raw JSON), or with the member added at the end if
/// there is none. `members` are those of `text`.
std::string set_member(std::string_view text, const std::vector<JsonMember>& members, std::string_view name,
                       std::string_view value);

/// The value that `stream_options` must have so that the stream ends with its usage: the given raw value (empty: none)
/// with `include_usage` true.
std::string with_usage(std::string_view stream_options);

}  // namespace sluice::llm
