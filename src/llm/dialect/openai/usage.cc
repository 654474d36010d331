#include "llm/dialect/openai/usage.h"

#include <algorithm>
#include <charconv>

#include "llm/json_members.h"

namespace sluice::llm::openai {
namespace {

using Members = std::vector<JsonMember>;

Members members_of(std::string_view object) {
  Result<Members> members = json_members(object);
  return members ? std::move(*members) : Members();
}

bool is_count(std::string_view value) { return value.front() >= '0' && value.front() <= '9'; }

/// The count under the first of `names` that has one; some providers write 12.0.
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

/// Whether the total says that the completion was counted without its reasoning, as xAI does.
bool reasoning_is_apart(const Usage& usage, std::uint64_t total) {
  return usage.reasoning > 0 && total == usage.prompt + usage.completion + usage.reasoning;
}

/// Embeddings of some providers have no more than a total.
std::uint64_t prompt_of(const Members& members, std::uint64_t completion) {
  if (find_member(members, "prompt_tokens") || find_member(members, "input_tokens")) {
    return count_of(members, {"prompt_tokens", "input_tokens"});
  }
  const std::uint64_t total = count_of(members, {"total_tokens"});
  return total - std::min(total, completion);
}

}  // namespace

Usage parse_usage(std::string_view usage_object) {
  const Members members = members_of(usage_object);
  Usage usage;
  for (const std::string_view name :
       {"prompt_tokens", "input_tokens", "completion_tokens", "output_tokens", "total_tokens"}) {
    const JsonMember* member = find_member(members, name);
    usage.known |= member && is_count(member->value);
  }
  usage.completion = count_of(members, {"completion_tokens", "output_tokens"});
  usage.prompt = prompt_of(members, usage.completion);
  const Members prompt = details_of(members, {"prompt_tokens_details", "input_tokens_details"});
  usage.cached = count_of(prompt, {"cached_tokens"});
  // DeepSeek counts cached tokens beside the details, Moonshot too.
  if (usage.cached == 0) usage.cached = count_of(members, {"prompt_cache_hit_tokens", "cached_tokens"});
  usage.cache_write = count_of(prompt, {"cache_write_tokens", "cache_creation_tokens"});
  if (usage.cache_write == 0) usage.cache_write = count_of(members, {"cache_creation_input_tokens"});
  usage.audio_prompt = count_of(prompt, {"audio_tokens"});
  const Members completion = details_of(members, {"completion_tokens_details", "output_tokens_details"});
  usage.reasoning = count_of(completion, {"reasoning_tokens"});
  usage.audio_completion = count_of(completion, {"audio_tokens"});
  if (reasoning_is_apart(usage, count_of(members, {"total_tokens"}))) usage.completion += usage.reasoning;
  return usage;
}

Usage usage_of(std::string_view reply) {
  const Members members = members_of(reply);
  if (const JsonMember* usage = find_member(members, "usage"); usage && usage->value.starts_with('{')) {
    return parse_usage(usage->value);
  }
  // A responses event, or Groq's own place.
  for (const std::string_view name : {"response", "x_groq"}) {
    const JsonMember* wrapper = find_member(members, name);
    if (wrapper && wrapper->value.starts_with('{')) return usage_of(wrapper->value);
  }
  return {};
}

}  // namespace sluice::llm::openai
