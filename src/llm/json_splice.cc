#include "llm/json_splice.h"

#include <boost/json.hpp>

#include <algorithm>

namespace sluice::llm {
namespace {

std::size_t offset_in(std::string_view text, std::string_view part) {
  return static_cast<std::size_t>(part.data() - text.data());
}

std::size_t size_with(std::string_view text, std::span<const MemberEdit> edits) {
  std::size_t size = text.size();
  for (const MemberEdit& edit : edits) size += edit.name.size() + edit.value.size() + 4;
  return size;
}

bool has_member(const std::vector<JsonMember>& members, std::string_view name) {
  return find_member(members, name) != nullptr;
}

/// The members that are not there go before the closing brace.
void add_missing(std::string& result, const std::vector<JsonMember>& members, std::span<const MemberEdit> edits) {
  bool first = members.empty();
  for (const MemberEdit& edit : edits) {
    if (has_member(members, edit.name)) continue;
    result.append(first ? "\"" : ",\"").append(edit.name).append("\":").append(edit.value);
    first = false;
  }
}

}  // namespace

std::string json_string(std::string_view text) {
  return boost::json::serialize(boost::json::string_view(text.data(), text.size()));
}

std::string set_members(std::string_view text, const std::vector<JsonMember>& members,
                        std::span<const MemberEdit> edits) {
  std::string result;
  result.reserve(size_with(text, edits));
  std::size_t copied = 0;
  for (const JsonMember& member : members) {
    const auto edit = std::find_if(edits.begin(), edits.end(), [&](const MemberEdit& e) { return member.is(e.name); });
    if (edit == edits.end()) continue;
    const std::size_t begin = offset_in(text, member.value);
    result.append(text.substr(copied, begin - copied)).append(edit->value);
    copied = begin + member.value.size();
  }
  const std::size_t brace = text.rfind('}');
  result.append(text.substr(copied, brace - copied));
  add_missing(result, members, edits);
  return result.append(text.substr(brace));
}

std::string set_member(std::string_view text, const std::vector<JsonMember>& members, std::string_view name,
                       std::string_view value) {
  const MemberEdit edit{name, value};
  return set_members(text, members, {&edit, 1});
}

std::string remove_member(std::string_view text, const std::vector<JsonMember>& members, std::string_view name) {
  std::string result;
  std::size_t copied = 0;
  bool any = false;  // a member that stays stands before
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (!members[i].is(name)) {
      any = true;
      continue;
    }
    // With the comma behind it, or, where all that stays stands before, with the comma before it.
    const bool last = i + 1 == members.size();
    const std::size_t begin = offset_in(text, members[i].key) - 1;
    const std::size_t end =
        last ? offset_in(text, members[i].value) + members[i].value.size() : offset_in(text, members[i + 1].key) - 1;
    result.append(text.substr(copied, begin - copied));
    if (last && any) result.resize(result.rfind(','));
    copied = end;
  }
  return result.append(text.substr(copied));
}

std::string with_usage(std::string_view stream_options) {
  const Result<std::vector<JsonMember>> members = json_members(stream_options);
  if (!members) return R"({"include_usage":true})";
  return set_member(stream_options, *members, "include_usage", "true");
}

}  // namespace sluice::llm
