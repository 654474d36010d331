#include <boost/json.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "llm/json_members.h"

namespace {

using sluice::llm::JsonMember;
namespace json = boost::json;

void require(bool holds) {
  if (!holds) std::abort();
}

/// Everything lies in the text, in order.
void check_places(std::string_view text, const std::vector<JsonMember>& members) {
  const char* at = text.data();
  for (const JsonMember& member : members) {
    require(member.key.data() > at && member.value.data() > member.key.data() + member.key.size());
    require(!member.value.empty());
    at = member.value.data() + member.value.size();
    require(at < text.data() + text.size());
    (void)member.as_string();
  }
}

/// Equal but for fractions: the parser rounds them by what stands around them, and makes 0e999999 no number at all.
bool is_same(const json::value& a, const json::value& b) {
  if (a.kind() != b.kind()) return false;
  if (a.is_double()) return true;
  if (a.is_array()) {
    return std::equal(a.get_array().begin(), a.get_array().end(), b.get_array().begin(), b.get_array().end(), is_same);
  }
  if (!a.is_object()) return a == b;
  const auto same_pair = [](const json::key_value_pair& x, const json::key_value_pair& y) {
    return x.key() == y.key() && is_same(x.value(), y.value());
  };
  return std::equal(a.get_object().begin(), a.get_object().end(), b.get_object().begin(), b.get_object().end(),
                    same_pair);
}

/// What a parser takes for an object has the same members here.
void check_meaning(std::string_view text, const sluice::Result<std::vector<JsonMember>>& members) {
  json::error_code error;
  json::parse_options options;
  options.max_depth = 100;
  const json::value real = json::parse(json::string_view(text.data(), text.size()), error, {}, options);
  if (error || !real.is_object()) return;
  require(members.has_value());
  for (const json::key_value_pair& pair : real.get_object()) {
    const json::string_view key = pair.key();
    const JsonMember* const member = sluice::llm::find_member(*members, {key.data(), key.size()});
    require(member != nullptr);
    const json::value value = json::parse(json::string_view(member->value.data(), member->value.size()), {}, options);
    require(is_same(value, pair.value()));
  }
}

}  // namespace

/// Arbitrary text: what is found lies in the text, and agrees with a real parser wherever that one is content.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto members = sluice::llm::json_members(text);
  if (members) check_places(text, *members);
  check_meaning(text, members);
  (void)sluice::llm::json_elements(text);
  return 0;
}
