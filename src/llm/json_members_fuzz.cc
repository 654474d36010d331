#include <boost/json.hpp>

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
    // As text: the parser makes 0e999999 a value that does not equal itself.
    const json::value value = json::parse(json::string_view(member->value.data(), member->value.size()), {}, options);
    require(json::serialize(value) == json::serialize(pair.value()));
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
