#include "base/id.h"

#include <fmt/compile.h>

#include <algorithm>

#include "base/random.h"

namespace sluice::id {
namespace {

constexpr std::size_t trace_digits = 32;
constexpr std::size_t parent_digits = 16;
constexpr std::size_t traceparent_size = 2 + 1 + trace_digits + 1 + parent_digits + 1 + 2;
constexpr std::uint8_t known_flags = 0x03;

bool is_alphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

unsigned digit(char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); }

bool is_span(std::string_view digits) {
  return std::ranges::all_of(digits, is_hex) && digits.find_first_not_of('0') != std::string_view::npos;
}

std::uint64_t nonzero() {
  while (true) {
    const std::uint64_t value = random::next();
    if (value != 0) return value;
  }
}

}  // namespace

std::string new_request_id() { return fmt::format(FMT_COMPILE("req_{:016x}{:016x}"), random::next(), random::next()); }

bool is_valid_request_id(std::string_view text) {
  // The token characters of RFC 9110 without the quotes, and what base64, paths and URNs need.
  constexpr std::string_view others = "!#$%&*+-.^_|~:/=@";
  return !text.empty() && text.size() <= max_request_id &&
         std::ranges::all_of(text, [&](char c) { return is_alphanumeric(c) || others.find(c) != others.npos; });
}

std::string request_id(std::string_view from_client) {
  return is_valid_request_id(from_client) ? std::string(from_client) : new_request_id();
}

// version "-" trace-id "-" parent-id "-" flags, in lower-case hexadecimal digits.
std::optional<TraceContext> parse_traceparent(std::string_view text) {
  if (text.size() < traceparent_size || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  const std::string_view version = text.substr(0, 2);
  const std::string_view flags = text.substr(53, 2);
  if (!std::ranges::all_of(version, is_hex) || !std::ranges::all_of(flags, is_hex) || version == "ff")
    return std::nullopt;
  const bool longer = text.size() > traceparent_size;
  if (longer && (version == "00" || text[traceparent_size] != '-')) return std::nullopt;
  const TraceContext context{text.substr(3, trace_digits), text.substr(36, parent_digits),
                             static_cast<std::uint8_t>(digit(flags[0]) << 4U | digit(flags[1]))};
  if (!is_span(context.trace) || !is_span(context.parent)) return std::nullopt;
  return context;
}

std::string child_traceparent(std::string_view from_client) {
  const std::optional<TraceContext> from = parse_traceparent(from_client);
  if (!from) return fmt::format(FMT_COMPILE("00-{:016x}{:016x}-{:016x}-01"), random::next(), nonzero(), nonzero());
  return fmt::format(FMT_COMPILE("00-{}-{:016x}-{:02x}"), from->trace, nonzero(), from->flags & known_flags);
}

}  // namespace sluice::id
