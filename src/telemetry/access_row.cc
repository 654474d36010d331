#include "telemetry/access_row.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <ctime>
#include <iterator>

namespace sluice::telemetry {
namespace {

using SystemTime = std::chrono::system_clock::time_point;

bool is_plain(char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

/// The length of the UTF-8 character that `text` begins with, or 0 if it begins with none.
std::size_t character_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  return length <= text.size() && simdjson::validate_utf8(text.data(), length) ? length : 0;
}

void append_escaped(std::string_view text, std::string& to) {
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    if (length == 0) {
      to += "\\ufffd";
    } else if (length > 1 || is_plain(text.front())) {
      to += text.substr(0, length);
    } else {
      fmt::format_to(std::back_inserter(to), "\\u{:04x}", static_cast<unsigned char>(text.front()));
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
}

void append_text(std::string_view text, std::string& to) {
  to += '"';
  if (std::ranges::all_of(text, is_plain)) {
    to += text;
  } else {
    append_escaped(text, to);
  }
  to += '"';
}

/// Writes the members of one object.
class Members {
 public:
  explicit Members(std::string& to) : to_(to) {}

  void text(std::string_view key, std::string_view value) {
    if (value.empty()) return null(key);
    name(key);
    append_text(value, to_);
  }
  void count(std::string_view key, std::uint64_t value) {
    name(key);
    const fmt::format_int digits(value);
    to_.append(digits.data(), digits.size());
  }
  void flag(std::string_view key, bool value) {
    name(key);
    to_ += value ? "true" : "false";
  }
  void milliseconds(std::string_view key, std::optional<Duration> value) {
    if (!value) return null(key);
    name(key);
    const auto microseconds =
        std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::microseconds>(*value).count());
    fmt::format_to(std::back_inserter(to_), "{}.{:03}", microseconds / 1000, microseconds % 1000);
  }
  /// Plain digits down to a tenth of a millionth of a cent: log readers add these up.
  void dollars(std::string_view key, std::optional<double> value) {
    if (!value) return null(key);
    name(key);
    fmt::format_to(std::back_inserter(to_), "{:.9f}", *value);
  }
  void null(std::string_view key) {
    name(key);
    to_ += "null";
  }
  void name(std::string_view key) {
    to_ += first_ ? "{\"" : ",\"";
    to_ += key;
    to_ += "\":";
    first_ = false;
  }

 private:
  std::string& to_;
  bool first_ = true;
};

/// "2024-05-01T12:34:56", which changes once a second.
std::string_view date_and_time(std::time_t second) {
  thread_local std::time_t last = -1;
  thread_local std::string text;
  if (second != last) {
    std::tm parts{};
    ::gmtime_r(&second, &parts);
    text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                       parts.tm_hour, parts.tm_min, parts.tm_sec);
    last = second;
  }
  return text;
}

void append_time(SystemTime time, std::string& to) {
  const auto second = std::chrono::floor<std::chrono::seconds>(time);
  const auto rest = std::chrono::floor<std::chrono::milliseconds>(time - second).count();
  to += '"';
  to += date_and_time(std::chrono::system_clock::to_time_t(second));
  fmt::format_to(std::back_inserter(to), ".{:03}Z\"", rest);
}

void append_tokens(const AccessRow::Tokens& tokens, std::string& to) {
  Members members(to);
  members.count("prompt", tokens.prompt);
  members.count("completion", tokens.completion);
  members.count("cached", tokens.cached);
  members.count("reasoning", tokens.reasoning);
  members.flag("estimated", tokens.estimated);
  to += '}';
}

}  // namespace

void append_json_line(const AccessRow& row, std::string& to) {
  Members members(to);
  members.name("time");
  append_time(row.time, to);
  members.text("id", row.id);
  members.text("client", row.client);
  members.text("method", row.method);
  members.text("path", row.path);
  members.text("route", row.route);
  members.text("provider", row.provider);
  members.text("model", row.model);
  members.text("upstream_model", row.upstream_model);
  if (row.status > 0) {
    members.count("status", static_cast<std::uint64_t>(row.status));
  } else {
    members.null("status");
  }
  members.text("outcome", row.outcome);
  members.text("code", row.code);
  members.flag("stream", row.stream);
  members.milliseconds("duration_ms", row.duration);
  members.milliseconds("first_token_ms", row.first_token);
  members.count("bytes_in", row.bytes_in);
  members.count("bytes_out", row.bytes_out);
  if (row.tokens) {
    members.name("tokens");
    append_tokens(*row.tokens, to);
  } else {
    members.null("tokens");
  }
  members.dollars("cost_usd", row.cost);
  to += "}\n";
}

}  // namespace sluice::telemetry
