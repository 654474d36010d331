#include "llm/dialect/openai/stream_relay.h"

#include <algorithm>
#include <charconv>

#include "llm/dialect/openai/errors.h"
#include "llm/dialect/openai/usage.h"
#include "llm/estimate.h"
#include "llm/json_members.h"

namespace sluice::llm::openai {
namespace {

constexpr auto npos = std::string_view::npos;

bool has(std::string_view text, std::string_view part) { return text.find(part) != npos; }

/// The first byte of a member's value, found by its quoted name; npos if it is not there. Cheap: a hint, not a parse.
std::size_t value_after(std::string_view text, std::string_view quoted_name) {
  std::size_t at = text.find(quoted_name);
  if (at == npos) return npos;
  at = text.find_first_not_of(" :", at + quoted_name.size());
  return at;
}

/// The raw text of a string member that is not empty, or nothing.
std::string_view string_after(std::string_view text, std::string_view quoted_name) {
  const std::size_t begin = value_after(text, quoted_name);
  if (begin == npos || text[begin] != '"') return {};
  std::size_t end = begin + 1;
  while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
  return text.substr(begin + 1, std::min(end, text.size()) - begin - 1);
}

/// The data of an event of one data line, which is the usual one; several lines are joined in `joined`.
std::string_view data_of(std::string_view event, std::string& joined) {
  std::string_view data;
  std::size_t lines = 0;
  while (!event.empty()) {
    const std::size_t end = event.find_first_of("\r\n");
    std::string_view line = event.substr(0, end);
    event = end == npos ? std::string_view() : event.substr(end + 1);
    if (!line.starts_with("data:")) continue;
    line.remove_prefix(5);
    if (line.starts_with(' ')) line.remove_prefix(1);
    if (++lines == 1) {
      data = line;
      continue;
    }
    if (lines == 2) joined = data;
    joined.append("\n").append(line);
    data = joined;
  }
  return data;
}

std::size_t index_of(std::string_view choice) {
  const Result<std::vector<JsonMember>> members = json_members(choice);
  const JsonMember* index = members ? find_member(*members, "index") : nullptr;
  std::size_t value = 0;
  if (index) std::from_chars(index->value.data(), index->value.data() + index->value.size(), value);
  return value;
}

bool is_finished(std::string_view choice) {
  const Result<std::vector<JsonMember>> members = json_members(choice);
  const JsonMember* reason = members ? find_member(*members, "finish_reason") : nullptr;
  return reason && reason->is_string();
}

bool is_final_response_event(std::string_view data) {
  const std::string_view type = string_after(data, "\"type\"");
  return type == "response.completed" || type == "response.incomplete" || type == "response.failed";
}

}  // namespace

std::string_view StreamRelay::feed(std::string_view bytes) {
  if (passing_) return pass_oversized(bytes);
  if (held_.empty()) return process(bytes, 0);
  joined_.swap(held_);
  held_.clear();
  const std::size_t looked_at = joined_.size();
  joined_.append(bytes);
  return process(joined_, looked_at);
}

std::string_view StreamRelay::process(std::string_view text, std::size_t scan_from) {
  std::size_t begin = 0;
  bool dropped = false;
  for (std::size_t end = bounds_.next_end(text, scan_from); end != EventBounds::none;
       end = bounds_.next_end(text, end)) {
    const std::string_view event = text.substr(begin, end - begin);
    if (look_at(event)) {
      if (dropped) kept_.append(event);
    } else if (!dropped) {
      dropped = true;
      kept_.assign(text.substr(0, begin));
    }
    begin = end;
  }
  const std::string_view tail = text.substr(begin);
  if (tail.size() > options_.max_held) {
    passing_ = true;
    if (!dropped) return text;
    return kept_.append(tail);
  }
  held_.assign(tail);
  return dropped ? std::string_view(kept_) : text.substr(0, begin);
}

/// The rest of an event that was too long to be held goes out as it comes; what follows it is looked at again.
std::string_view StreamRelay::pass_oversized(std::string_view text) {
  const std::size_t end = bounds_.next_end(text, 0);
  if (end == EventBounds::none) return text;
  passing_ = false;
  const std::string first(text.substr(0, end));
  const std::string_view more = process(text.substr(end), 0);
  joined_ = first + std::string(more);
  return joined_;
}

/// False: the event is not for the client.
bool StreamRelay::look_at(std::string_view event) {
  std::string joined;
  const std::string_view data = data_of(event, joined);
  return data.empty() || look_at_data(data);
}

bool StreamRelay::look_at_data(std::string_view data) {
  if (data == "[DONE]") {
    done_ = true;
    return true;
  }
  if (!data.starts_with('{')) {
    ++malformed_;
    return true;
  }
  if (data.starts_with("{\"error\"")) failed_ = true;
  for (const std::string_view name :
       {"\"content\"", "\"delta\"", "\"text\"", "\"arguments\"", "\"reasoning_content\""}) {
    const std::string_view content = string_after(data, name);
    if (content.empty()) continue;
    content_seen_ = true;
    content_tokens_ += estimate_tokens(content);
    break;
  }
  look_at_end(data);
  const std::size_t usage = value_after(data, "\"usage\"");
  return usage == npos || data[usage] != '{' || look_at_usage(data);
}

bool StreamRelay::look_at_usage(std::string_view data) {
  const Usage usage = usage_of(data);
  if (usage.known) usage_ = usage;
  if (!options_.hide_usage) return true;
  const Result<std::vector<JsonMember>> members = json_members(data);
  const JsonMember* choices = members ? find_member(*members, "choices") : nullptr;
  if (!choices) return true;
  const Result<std::vector<std::string_view>> elements = json_elements(choices->value);
  return !elements || !elements->empty();
}

void StreamRelay::look_at_end(std::string_view data) {
  if (has(data, "\"response.") && is_final_response_event(data)) done_ = true;
  const std::size_t reason = value_after(data, "\"finish_reason\"");
  if (reason == npos || (data[reason] != '"' && options_.choices == 1)) return;
  const Result<std::vector<JsonMember>> members = json_members(data);
  const JsonMember* choices = members ? find_member(*members, "choices") : nullptr;
  if (!choices) return;
  const Result<std::vector<std::string_view>> elements = json_elements(choices->value);
  if (!elements) return;
  for (const std::string_view choice : *elements) {
    if (!is_finished(choice)) continue;
    const std::size_t index = index_of(choice);
    if (std::find(finished_.begin(), finished_.end(), index) == finished_.end()) finished_.push_back(index);
  }
}

StreamRelay::End StreamRelay::finish() const {
  if (failed_) return End::failed;
  return done_ || (finished_.size() >= options_.choices && !finished_.empty()) ? End::whole : End::truncated;
}

std::string StreamRelay::error_event(const Error& error) const {
  return (passing_ ? "\n\ndata: " : "data: ") + error_body(error) + "\n\n";
}

Usage StreamRelay::usage(std::uint64_t prompt_tokens) const {
  if (usage_.known) return usage_;
  Usage estimate;
  estimate.known = estimate.estimated = true;
  estimate.prompt = prompt_tokens;
  estimate.completion = content_tokens_;
  return estimate;
}

}  // namespace sluice::llm::openai
