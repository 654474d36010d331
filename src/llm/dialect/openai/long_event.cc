#include "llm/dialect/openai/long_event.h"

#include "llm/estimate.h"
#include "llm/json_text.h"

namespace sluice::llm::openai {
namespace {

/// Behind the usage of a response stand its user and metadata, 16 pairs of up to 576 characters.
constexpr std::size_t window = 16 * 1024;

/// What stands behind the last `"name":` of the text; empty if there is none.
std::string_view last_value(std::string_view text, std::string_view quoted_name) {
  const std::size_t name = text.rfind(quoted_name);
  if (name == std::string_view::npos) return {};
  const std::size_t value = text.find_first_not_of(" :", name + quoted_name.size());
  return value == std::string_view::npos ? std::string_view() : text.substr(value);
}

}  // namespace

LongEvent::LongEvent(std::string_view data) {
  const StreamEvent begin = read_stream_event(data);
  type_ = begin.type;
  is_content_ = type_.empty() || type_.ends_with(".delta");
  quarters_ = begin.quarters;
  add(data);
}

void LongEvent::add(std::string_view bytes) {
  if (is_content_) quarters_ += quarter_tokens(bytes);
  if (bytes.size() >= window) {
    last_.assign(bytes.substr(bytes.size() - window));
    return;
  }
  const std::size_t room = window - bytes.size();
  if (last_.size() > room) last_.erase(0, last_.size() - room);
  last_.append(bytes);
}

StreamEvent LongEvent::end() const {
  StreamEvent event;
  event.type = type_;
  event.quarters = quarters_;
  event.usage = json_container(last_value(last_, "\"usage\""));
  const std::string_view reason = last_value(last_, "\"finish_reason\"");
  if (type_.empty() && reason.starts_with('"') && !reason.starts_with("\"\"")) event.ends.push_back(0);
  return event;
}

}  // namespace sluice::llm::openai
