#include "llm/dialect/openai/stream_event.h"

#include <algorithm>
#include <charconv>

#include "llm/estimate.h"
#include "llm/json_text.h"

namespace sluice::llm::openai {
namespace {

constexpr auto npos = std::string_view::npos;

// Where things stand: {"choices":[{"index":0,"delta":{"content":""}}]}, {"response":{"usage":{}}} and Groq's
// {"x_groq":{"usage":{}}}.
constexpr std::size_t root = 1;
constexpr std::size_t in_wrapper = 2;
constexpr std::size_t in_choice = 3;

/// The members of a delta that are text of the answer. Also deeper: tool calls, content in parts.
bool is_content(std::string_view name) {
  switch (name.size()) {
    case 4:
      return name == "text";
    case 7:
      return name == "content" || name == "refusal";
    case 8:
      return name == "thinking";
    case 9:
      return name == "arguments" || name == "reasoning";
    case 10:
      return name == "transcript";
    case 17:
      return name == "reasoning_content";
    default:
      return false;
  }
}

class Reader {
 public:
  explicit Reader(std::string_view data) : data_(data) {}

  StreamEvent read() {
    skip_space();
    if (peek() != '{') return broken();
    do {
      if (at_ == data_.size() || !step()) return broken();
    } while (depth_ > 0);
    event_.malformed = data_.find_first_not_of(" \r\n\t", at_) != npos;
    return std::move(event_);
  }

 private:
  enum class Part : std::uint8_t { other, choices, wrapper };

  StreamEvent broken() {
    event_.malformed = true;
    return std::move(event_);
  }

  bool step() {
    switch (data_[at_]) {
      case '"':
        return string();
      case '{':
      case '[':
        ++depth_;
        break;
      case '}':
      case ']':
        close();
        break;
      default:
        break;
    }
    ++at_;
    return true;
  }

  void close() {
    if (depth_ == in_choice && part_ == Part::choices) end_choice();
    if (--depth_ == usage_depth_ && usage_at_ != npos) {
      event_.usage = data_.substr(usage_at_, at_ + 1 - usage_at_);
      usage_at_ = npos;
    }
  }

  void end_choice() {
    if (finished_) event_.ends.push_back(index_);
    finished_ = false;
    index_ = 0;
  }

  bool string() {
    const std::size_t begin = at_ + 1;
    const std::size_t end = json_string_end(data_, begin);
    if (end == npos) return false;
    at_ = end + 1;
    if (take_colon()) member(data_.substr(begin, end - begin));
    return true;
  }

  void skip_space() {
    while (at_ < data_.size() && (data_[at_] == ' ' || data_[at_] == '\n' || data_[at_] == '\t' || data_[at_] == '\r'))
      ++at_;
  }
  bool take_colon() {
    skip_space();
    if (at_ == data_.size() || data_[at_] != ':') return false;
    ++at_;
    skip_space();
    return true;
  }
  char peek() const { return at_ < data_.size() ? data_[at_] : '\0'; }

  /// What stands behind the colon; the walk goes on there, or behind it if it was taken.
  void member(std::string_view name) {
    if (depth_ == root) return root_member(name);
    if (part_ == Part::choices) return choice_member(name);
    if (part_ == Part::wrapper && depth_ == in_wrapper && name == "usage") note_usage();
  }

  void root_member(std::string_view name) {
    part_ = Part::other;
    if (name == "choices") {
      part_ = Part::choices;
      note_choices();
    } else if (name == "usage") {
      note_usage();
    } else if (name == "response" || name == "x_groq") {
      part_ = Part::wrapper;
    } else if (name == "type") {
      event_.type = string_value();
      if (event_.type == "error") event_.error = true;
    } else if (name == "delta") {
      count(string_value());
    } else if (name == "error") {
      event_.error |= peek() == '{' || !string_value().empty();
    }
  }

  void choice_member(std::string_view name) {
    if (depth_ > in_choice) {
      if (in_delta_ && is_content(name)) count(string_value());
      return;
    }
    // A `message` beside the delta repeats the answer as a whole.
    in_delta_ = name == "delta";
    if (name == "text") count(string_value());
    if (name == "index") std::from_chars(data_.data() + at_, data_.data() + data_.size(), index_);
    // Some providers write "" while the choice goes on.
    if (name == "finish_reason") finished_ = !string_value().empty();
  }

  void note_choices() {
    if (peek() != '[') return;
    const std::size_t first = data_.find_first_not_of(" \n\t", at_ + 1);
    event_.no_choices = first != npos && data_[first] == ']';
  }

  void note_usage() {
    if (peek() != '{') return;
    usage_at_ = at_;
    usage_depth_ = depth_;
  }

  void count(std::string_view text) { event_.quarters += quarter_tokens(text); }

  /// Takes the string that stands here; empty if another value does, or if the string has no end.
  std::string_view string_value() {
    if (peek() != '"') return {};
    const std::size_t begin = at_ + 1;
    const std::size_t end = json_string_end(data_, begin);
    if (end == npos) return {};
    at_ = end + 1;
    return data_.substr(begin, end - begin);
  }

  std::string_view data_;
  StreamEvent event_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::size_t index_ = 0;
  std::size_t usage_at_ = npos;
  std::size_t usage_depth_ = 0;
  Part part_ = Part::other;
  bool finished_ = false;
  bool in_delta_ = false;
};

}  // namespace

StreamEvent read_stream_event(std::string_view data) { return Reader(data).read(); }

}  // namespace sluice::llm::openai
