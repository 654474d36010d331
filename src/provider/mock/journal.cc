#include "provider/mock/journal.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>

#include "provider/mock/digest.h"
#include "provider/mock/json_text.h"

namespace sluice::mock {
namespace {

constexpr std::array<std::string_view, 7> credentials{
    "authorization", "proxy-authorization", "api-key", "x-api-key", "x-goog-api-key", "cookie", "x-amz-security-token"};
constexpr std::size_t shown_digits = 16;  ///< of a credential's SHA-256

void append_value(std::string& out, std::string_view name, std::string_view value) {
  if (std::ranges::none_of(credentials, [name](std::string_view one) { return http::same_name(one, name); })) {
    return append_quoted_latin1(out, value);
  }
  append_quoted(out, fmt::format("sha256:{}", sha256(value).substr(0, shown_digits)));
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  if (out.back() == ']') out += ',';
  out += '[';
  append_quoted_latin1(out, name);
  out += ',';
  append_value(out, name, value);
  out += ']';
}

/// As a text if it is one, else null. A cut in the middle of a character is repaired.
void append_body(std::string& out, std::string_view body) {
  while (!body.empty() && !simdjson::validate_utf8(body) && (body.back() & 0x80)) body.remove_suffix(1);
  if (simdjson::validate_utf8(body)) {
    append_quoted(out, body);
  } else {
    out += "null";
  }
}

std::string fields_text(std::string_view lines) {
  std::string out = "[";
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(line.size() + 1);
    const std::size_t colon = line.find(": ");
    append_field(out, line.substr(0, colon), line.substr(colon + 2));
  }
  return out += ']';
}

void append_lines(std::string& out, const http::Fields& fields) {
  for (const http::Field& field : fields) {
    out.append(field.name).append(": ").append(field.value).append("\n");
  }
}

}  // namespace

std::uint64_t Journal::note(const http::RequestHead& head) {
  ++requests;
  const std::uint64_t number = ++number_;
  const std::lock_guard lock(mutex_);
  Entry& entry = slot(number);
  entry.number = number;
  entry.line.assign(head.method).append(" ").append(head.target);
  entry.fields.clear();
  append_lines(entry.fields, head.fields);
  entry.body.clear();
  entry.body_bytes = 0;
  return number;
}

void Journal::note_body(std::uint64_t number, std::string_view body) {
  const std::lock_guard lock(mutex_);
  Entry& entry = slot(number);
  if (entry.number != number) return;
  entry.body.assign(body.substr(0, kept_body));
  entry.body_bytes = body.size();
}

void Journal::note_body_size(std::uint64_t number, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  if (Entry& entry = slot(number); entry.number == number) entry.body_bytes = bytes;
}

void Journal::append_entry(std::string& out, const Entry& entry) {
  const std::size_t space = entry.line.find(' ');
  out += R"({"method":)";
  append_quoted_latin1(out, std::string_view(entry.line).substr(0, space));
  out += R"(,"target":)";
  append_quoted_latin1(out, std::string_view(entry.line).substr(space + 1));
  out += R"(,"headers":)";
  out += fields_text(entry.fields);
  out += fmt::format(R"(,"body_bytes":{},"body":)", entry.body_bytes);
  append_body(out, entry.body);
}

std::string Journal::requests_text() const {
  const std::lock_guard lock(mutex_);
  std::vector<const Entry*> noted;
  for (const Entry& entry : entries_) {
    if (entry.number > 0) noted.push_back(&entry);
  }
  std::ranges::sort(noted, {}, &Entry::number);
  std::string out = R"({"requests":[)";
  for (const Entry* entry : noted) {
    if (entry != noted.front()) out += ',';
    append_entry(out, *entry);
    out += fmt::format(R"(,"number":{}}})", entry->number);
  }
  return out += "]}";
}

std::string Journal::echo_text(const http::RequestHead& head, std::string_view body) {
  Entry entry;
  entry.line = head.method + " " + head.target;
  append_lines(entry.fields, head.fields);
  entry.body = body;
  entry.body_bytes = body.size();
  std::string out;
  append_entry(out, entry);
  out += fmt::format(R"(,"body_sha256":"{}"}})", sha256(body));
  return out;
}

std::string Journal::stats_text() const {
  return fmt::format(
      R"({{"requests":{},"cancelled_requests":{},"streams":{},"live_streams":{},"finished_streams":{},"cancelled_streams":{},"broken_streams":{},"faults":{}}})",
      requests.load(), cancelled_requests.load(), streams.load(), live_streams.load(), finished_streams.load(),
      cancelled_streams.load(), broken_streams.load(), faults.load());
}

void Journal::clear() {
  for (auto* counter :
       {&requests, &cancelled_requests, &streams, &finished_streams, &cancelled_streams, &broken_streams, &faults}) {
    counter->store(0);
  }
  const std::lock_guard lock(mutex_);
  for (Entry& entry : entries_) entry.number = 0;
}

StreamCount::StreamCount(std::shared_ptr<Journal> journal) : journal_(std::move(journal)) {
  ++journal_->streams;
  ++journal_->live_streams;
}

StreamCount::~StreamCount() { settle(journal_->cancelled_streams); }

void StreamCount::settle(std::atomic<std::uint64_t>& counter) {
  if (settled_) return;
  settled_ = true;
  --journal_->live_streams;
  ++counter;
}

}  // namespace sluice::mock
