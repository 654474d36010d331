#include "llm/json_members.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include "llm/json_text.h"

namespace sluice::llm {
namespace {

constexpr std::size_t deepest = 512;
/// Members are looked up by name one after the other; requests and answers have dozens at most.
constexpr std::size_t most_members = 1000;

/// Steps over the structure of a JSON text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ == text_.size(); }
  std::size_t position() const { return at_; }
  char peek() const { return at_end() ? '\0' : text_[at_]; }

  void skip_space() {
    while (!at_end() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) ++at_;
  }
  bool take(char wanted) {
    if (peek() != wanted) return false;
    ++at_;
    return true;
  }

  /// A string with its quotes, or nothing.
  std::string_view string() {
    const std::size_t begin = at_;
    if (!take('"')) return {};
    const std::size_t end = json_string_end(text_, at_);
    at_ = end == std::string_view::npos ? text_.size() : end + 1;
    return end == std::string_view::npos ? std::string_view() : text_.substr(begin, at_ - begin);
  }

  /// Any value, or nothing.
  std::string_view value() {
    const char first = peek();
    if (first == '"') return string();
    if (first == '{' || first == '[') return nested();
    return scalar();
  }

 private:
  /// A number, true, false, null: whatever stands there up to a byte that none of them can have.
  std::string_view scalar() {
    const std::size_t begin = at_;
    while (!at_end() && !ends_scalar(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  static bool ends_scalar(char c) {
    switch (c) {
      case ',':
      case ']':
      case '}':
      case ' ':
      case '\t':
      case '\r':
      case '\n':
      case ':':
      case '"':
      case '[':
      case '{':
        return true;
      default:
        return false;
    }
  }

  std::string_view nested() {
    const std::size_t begin = at_;
    std::string closers;
    while (!at_end() && step_inside(closers)) {
      if (closers.empty()) return text_.substr(begin, at_ - begin);
    }
    at_ = text_.size();
    return {};
  }

  /// One string or one other byte of a nested value. False: it is broken or too deep.
  bool step_inside(std::string& closers) {
    const char c = text_[at_];
    if (c == '"') return !string().empty();
    ++at_;
    if (c == '{' || c == '[') {
      if (closers.size() == deepest) return false;
      closers.push_back(c == '{' ? '}' : ']');
    } else if (c == '}' || c == ']') {
      if (closers.back() != c) return false;
      closers.pop_back();
    }
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

tl::unexpected<Error> broken(std::size_t at, std::string_view wanted) {
  return fail(ErrorKind::bad_request, ErrorSource::client,
              fmt::format("The body is not valid JSON: {} expected at byte {}.", wanted, at));
}

std::string unescape(std::string_view quoted) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(boost::json::string_view(quoted.data(), quoted.size()), error);
  return !error && value.is_string() ? std::string(value.get_string()) : std::string();
}

}  // namespace

bool JsonMember::is(std::string_view name) const {
  if (key.find('\\') == std::string_view::npos) return key == name;
  return unescape(fmt::format("\"{}\"", key)) == name;
}

std::string JsonMember::as_string() const {
  if (!is_string()) return {};
  if (value.find('\\') == std::string_view::npos) return std::string(value.substr(1, value.size() - 2));
  return unescape(value);
}

Result<std::vector<JsonMember>> json_members(std::string_view text) {
  std::vector<JsonMember> members;
  Scanner scan(text);
  scan.skip_space();
  if (!scan.take('{')) return broken(scan.position(), "an object");
  scan.skip_space();
  bool more = !scan.take('}');
  while (more) {
    scan.skip_space();
    const std::string_view key = scan.string();
    if (key.empty()) return broken(scan.position(), "a member's name");
    scan.skip_space();
    if (!scan.take(':')) return broken(scan.position(), "a colon");
    scan.skip_space();
    const std::string_view value = scan.value();
    if (value.empty()) return broken(scan.position(), "a value");
    if (members.size() == most_members) {
      return fail(ErrorKind::bad_request, ErrorSource::client,
                  fmt::format("A JSON object in the body has more than {} members.", most_members));
    }
    members.push_back({key.substr(1, key.size() - 2), value});
    scan.skip_space();
    more = scan.take(',');
    if (!more && !scan.take('}')) return broken(scan.position(), "a comma or the object's end");
  }
  scan.skip_space();
  if (!scan.at_end()) return broken(scan.position(), "the end");
  return members;
}

Result<std::vector<std::string_view>> json_elements(std::string_view text) {
  std::vector<std::string_view> elements;
  Scanner scan(text);
  scan.skip_space();
  if (!scan.take('[')) return broken(scan.position(), "an array");
  scan.skip_space();
  bool more = !scan.take(']');
  while (more) {
    scan.skip_space();
    const std::string_view value = scan.value();
    if (value.empty()) return broken(scan.position(), "a value");
    elements.push_back(value);
    scan.skip_space();
    more = scan.take(',');
    if (!more && !scan.take(']')) return broken(scan.position(), "a comma or the array's end");
  }
  scan.skip_space();
  if (!scan.at_end()) return broken(scan.position(), "the end");
  return elements;
}

const JsonMember* find_member(const std::vector<JsonMember>& members, std::string_view name) {
  for (auto member = members.rbegin(); member != members.rend(); ++member) {
    if (member->is(name)) return &*member;
  }
  return nullptr;
}

}  // namespace sluice::llm
