#include "llm/json_splice.h"

#include <boost/json.hpp>

namespace sluice::llm {
namespace {

/// Where a new last member goes: before the closing brace.
std::string add_member(std::string_view text, bool first, std::string_view name, std::string_view value) {
  const std::size_t brace = text.rfind('}');
  std::string result;
  result.reserve(text.size() + name.size() + value.size() + 8);
  result.append(text.substr(0, brace));
  if (!first) result.push_back(',');
  result.append("\"").append(name).append("\":").append(value).append(text.substr(brace));
  return result;
}

}  // namespace

std::string json_string(std::string_view text) {
  return boost::json::serialize(boost::json::string_view(text.data(), text.size()));
}

std::string set_member(std::string_view text, const std::vector<JsonMember>& members, std::string_view name,
                       std::string_view value) {
  std::string result;
  std::size_t copied = 0;
  bool found = false;
  for (const JsonMember& member : members) {
    if (!member.is(name)) continue;
    const auto begin = static_cast<std::size_t>(member.value.data() - text.data());
    if (!found) result.reserve(text.size() + value.size());
    result.append(text.substr(copied, begin - copied)).append(value);
    copied = begin + member.value.size();
    found = true;
  }
  if (!found) return add_member(text, members.empty(), name, value);
  return result.append(text.substr(copied));
}

std::string with_usage(std::string_view stream_options) {
  const Result<std::vector<JsonMember>> members = json_members(stream_options);
  if (!members) return R"({"include_usage":true})";
  return set_member(stream_options, *members, "include_usage", "true");
}

}  // namespace sluice::llm
