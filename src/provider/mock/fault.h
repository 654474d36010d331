#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "provider/mock/complaint.h"

namespace sluice::mock {

/// One thing that goes wrong on purpose. `after` counts events of a stream; in an answer that is not streamed any
/// number above 0 means "after half of it".
struct Fault {
  enum class Kind : std::uint8_t {
    none,
    status,        ///< an error answer of `status`
    reset,         ///< the connection is reset after `after` events
    cut,           ///< the connection is closed in the middle of the event after `after` others
    stall,         ///< nothing more comes after `after` events, and the connection stays open
    truncate,      ///< the body ends in order after `after` events, without the end mark
    malformed,     ///< an event that is no JSON comes after `after` events; the rest follows
    error_event,   ///< an error object comes after `after` events, as its end
    slow_headers,  ///< the head of the answer comes only after `wait`
    no_done,       ///< everything but the end mark ([DONE], response.completed)
    empty          ///< a head, and an empty body
  };
  Kind kind = Kind::none;
  std::uint64_t after = 0;
  int status = 0;
  std::uint64_t retry_after = 0;  ///< seconds; 0: what belongs to the status
  Duration wait{};
};

/// "status=503", "status=429;retry-after=2", "reset", "reset-after=3", "slow-headers=2s", "no-done", ...
Checked<Fault> parse_fault(std::string_view text);

/// Which of `faults` strikes the request of that number, if any: a share `rate` of all, the same ones for the same
/// seed.
Fault choose_fault(std::span<const Fault> faults, double rate, std::uint64_t seed, std::uint64_t number);

}  // namespace sluice::mock
