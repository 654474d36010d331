#include "llm/dialect/openai/stream_relay.h"

#include <algorithm>

#include "llm/dialect/openai/errors.h"
#include "llm/dialect/openai/usage.h"

namespace sluice::llm::openai {
namespace {

constexpr auto npos = std::string_view::npos;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

/// The data of an event of one data line, which is the usual one; several lines are joined in `joined`.
std::string_view data_of(std::string_view event, std::string& joined) {
  if (event.starts_with(byte_order_mark)) event.remove_prefix(byte_order_mark.size());
  std::string_view data;
  std::size_t lines = 0;
  while (!event.empty()) {
    const std::size_t end = line_end(event, 0);
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

bool is_final(std::string_view type) {
  return type == "response.completed" || type == "response.incomplete" || type == "response.failed" ||
         type == "response.cancelled";
}

/// What a stream keeps between events is small: an idle one owns no buffer.
void clear(std::string& buffer) {
  constexpr std::size_t small = 1024;
  if (buffer.capacity() > small) {
    std::string().swap(buffer);
  } else {
    buffer.clear();
  }
}

}  // namespace

std::string_view StreamRelay::feed(std::string_view bytes) {
  if (passing_) return pass_long(bytes);
  clear(joined_);
  clear(kept_);
  if (held_.empty()) return process(bytes, 0);
  joined_.swap(held_);
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
    std::string lines;
    passing_ = std::make_unique<LongEvent>(data_of(tail, lines));
    if (!dropped) return text;
    return kept_.append(tail);
  }
  held_.assign(tail);
  return dropped ? std::string_view(kept_) : text.substr(0, begin);
}

/// The rest of an event that was too long to be held goes out as it comes; what follows it is looked at again.
std::string_view StreamRelay::pass_long(std::string_view text) {
  const std::size_t end = bounds_.next_end(text, 0);
  passing_->add(text.substr(0, end));
  if (end == EventBounds::none) return text;
  note(passing_->end());
  passing_.reset();
  std::string first(text.substr(0, end));
  first.append(process(text.substr(end), 0));
  joined_ = std::move(first);
  return joined_;
}

/// False: the event is not for the client.
bool StreamRelay::look_at(std::string_view event) {
  std::string lines;
  const std::string_view data = data_of(event, lines);
  if (data == "[DONE]") done_ = true;
  return data.empty() || data == "[DONE]" || note(read_stream_event(data));
}

bool StreamRelay::note(const StreamEvent& event) {
  if (event.malformed) {
    ++malformed_;
    return true;
  }
  failed_ |= event.error;
  content_seen_ |= event.quarters > 0;
  content_quarters_ += event.quarters;
  done_ |= is_final(event.type);
  for (const std::size_t choice : event.ends) note_end(choice);
  if (event.usage.empty()) return true;
  const Usage usage = parse_usage(event.usage);
  if (usage.known) usage_ = usage;
  return !options_.hide_usage || !event.no_choices;
}

void StreamRelay::note_end(std::size_t choice) {
  if (std::find(finished_.begin(), finished_.end(), choice) == finished_.end()) finished_.push_back(choice);
}

StreamRelay::End StreamRelay::finish() {
  // The last event may lack its blank line; what was cut off inside does not read as one.
  if (!held_.empty() && !look_at(held_)) held_.clear();
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
  estimate.completion = (content_quarters_ + 3) / 4;
  return estimate;
}

}  // namespace sluice::llm::openai
