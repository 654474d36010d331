#pragma once

#include <span>
#include <string>
#include <string_view>

#include "llm/json_members.h"

/// Byte-exact edits of a JSON object: the value of a member is replaced where it stands, everything else (unknown
/// fields, spelling of numbers, order, white space) survives byte for byte.
namespace sluice::llm {

/// A JSON string literal that means `text`.
std::string json_string(std::string_view text);

/// A member and its new value, as raw JSON.
struct MemberEdit {
  std::string_view name;
  std::string_view value;
};

/// `text` with the value of every member of each name replaced, or with the member added at the end if there is none.
/// `members` are those of `text`; the names are plain and differ.
std::string set_members(std::string_view text, const std::vector<JsonMember>& members,
                        std::span<const MemberEdit> edits);
std::string set_member(std::string_view text, const std::vector<JsonMember>& members, std::string_view name,
                       std::string_view value);

/// `text` without any member of that name.
std::string remove_member(std::string_view text, const std::vector<JsonMember>& members, std::string_view name);

/// The value that `stream_options` must have so that the stream ends with its usage: the given raw value (empty: none)
/// with `include_usage` true.
std::string with_usage(std::string_view stream_options);

}  // namespace sluice::llm
