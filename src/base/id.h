#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Names of requests: our own `x-request-id` and W3C Trace Context (https://www.w3.org/TR/trace-context/). Unique, not
/// secret.
namespace sluice::id {

inline constexpr std::size_t max_request_id = 128;

/// "req_" and 32 hexadecimal digits.
std::string new_request_id();
/// Whether a client's `x-request-id` may stand in logs and headers as it came: 1 to 128 letters, digits and other
/// visible ASCII characters that need no quoting anywhere.
bool is_valid_request_id(std::string_view text);
/// The client's id if it is valid, else a new one.
std::string request_id(std::string_view from_client);

/// The parts of a `traceparent` field.
struct TraceContext {
  std::string_view trace;   ///< 32 lower-case hexadecimal digits, not all zero; a view into what was parsed
  std::string_view parent;  ///< 16 of them
  std::uint8_t flags = 0;   ///< 1: sampled, 2: the trace id is random
};

/// Nothing if `text` is no valid `traceparent`. Later versions than 00 are read as far as 00 goes, as the standard
/// wants.
std::optional<TraceContext> parse_traceparent(std::string_view text);
/// The `traceparent` for our own call: the client's trace with a new span, or a new sampled trace if he sent none or an
/// invalid one (his `tracestate` belongs to nothing then and must not be sent on).
std::string child_traceparent(std::string_view from_client);

}  // namespace sluice::id
