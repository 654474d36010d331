#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "http/fields.h"
#include "provider/config.h"
#include "provider/mock/fault.h"

namespace sluice::mock {

/// How one request is to be answered: the server's options, changed by the request's `x-mock-*` fields.
struct Directions {
  Duration first_token{};
  Duration between_tokens{};
  std::optional<std::uint64_t> tokens;  ///< the answer's length; nothing: its natural one
  bool tokens_asked = false;            ///< by this request, not by the options: comes before all other wishes
  std::size_t chunk_bytes = 0;          ///< bytes handed out at a time; 0: an event, or all of a whole answer
  std::uint64_t cached_tokens = 0;      ///< to report in the usage
  std::uint64_t reasoning_tokens = 0;   ///< to report in the usage, beside the visible tokens
  bool echo = false;                    ///< answer with the request itself
  Fault fault;
};

/// More tokens are not made for one answer.
inline constexpr std::uint64_t max_tokens = 1'000'000;

/// `faults` are those of the options, parsed; `number` counts the requests of the server.
Checked<Directions> directions_for(const MockOptions& options, const std::vector<Fault>& faults,
                                   const http::Fields& fields, std::uint64_t number);

}  // namespace sluice::mock
