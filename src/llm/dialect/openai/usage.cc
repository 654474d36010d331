#include "llm/dialect/openai/usage.h"

#include <charconv>

#include "llm/json_members.h"

namespace sluice::llm::openai {
namespace {

using Members = std::vector<JsonMember>;

Members members_of(std::string_view object) {
  Result<Members> members = json_members(object);
  return members ? std::move(*members) : Members();
}

/// The count under the first of `names` that is there; some providers write 12.0.
std::uint64_t count_of(const Members& members, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const JsonMember* member = find_member(members, name);
    if (!member) continue;
    std::uint64_t count = 0;
    const auto [end, error] = std::from_chars(member->value.data(), member->value.data() + member->value.size(), count);
    if (error == std::errc()) return count;
  }
  return 0;
}

Members details_of(const Members& usage, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const JsonMember* member = find_member(usage, name);
    if (member && member->value.starts_with('{')) return members_of(member->value);
  }
  return {};
}

}  // namespace

Usage parse_usage(std::string_view usage_object) {
  const Members members = members_of(usage_object);
  Usage usage;
  usage.known = find_member(members, "prompt_tokens") || find_member(members, "input_tokens") ||
                find_member(members, "completion_tokens") || find_member(members, "total_tokens");
  usage.prompt = count_of(members, {"prompt_tokens", "input_tokens", "total_tokens"});
  usage.completion = count_of(members, {"completion_tokens", "output_tokens"});
  const Members prompt = details_of(members, {"prompt_tokens_details", "input_tokens_details"});
  // DeepSeek counts cached tokens beside, not inside the details.
  usage.cached = prompt.empty() ? count_of(members, {"prompt_cache_hit_tokens"}) : count_of(prompt, {"cached_tokens"});
  usage.audio_prompt = count_of(prompt, {"audio_tokens"});
  const Members completion = details_of(members, {"completion_tokens_details", "output_tokens_details"});
  usage.reasoning = count_of(completion, {"reasoning_tokens"});
  usage.audio_completion = count_of(completion, {"audio_tokens"});
  return usage;
}

Usage usage_of(std::string_view reply) {
  const Members members = members_of(reply);
  if (const JsonMember* usage = find_member(members, "usage"); usage && usage->value.starts_with('{'))
    return parse_usage(usage->value);
  const JsonMember* response = find_member(members, "response");
  return response && response->value.starts_with('{') ? usage_of(response->value) : Usage();
}

}  // namespace sluice::llm::openai
