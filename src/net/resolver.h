#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/task.h"
#include "net/address.h"

namespace sluice::net {

/// Looks host names up off the loop and remembers the answers, for all workers. Look-ups of one name that come at the
/// same time share one query.
class Resolver {
 public:
  /// Blocking; the addresses' port is 0. An error's text is only the reason ("Name or service not known").
  using LookUp = std::function<Result<std::vector<Address>>(const std::string& host)>;

  struct Options {
    Duration ttl = std::chrono::seconds(30);  ///< getaddrinfo does not tell the record's own
    Duration negative_ttl = std::chrono::seconds(2);
    Duration stale =
        std::chrono::minutes(5);  ///< past its ttl an answer still serves that long if no new one is to be had
    Duration stale_wait = std::chrono::milliseconds(500);  ///< for a new answer, while there is an old one
    std::size_t max_names = 1024;
    LookUp look_up;                    ///< empty: getaddrinfo
    std::function<TimePoint()> clock;  ///< empty: Clock::now
  };

  explicit Resolver(Options options);
  Resolver() : Resolver(Options{}) {}

  /// The process's own, never destroyed.
  static Resolver& process();

  /// At least one address, in the system's order of preference (RFC 6724); literals are answered at once. Errors:
  /// resolve or timeout, source upstream, retryable. REQUIRES: a current worker.
  Task<Result<std::vector<Address>>> resolve(std::string host, std::uint16_t port, TimePoint deadline);

  /// Names remembered now.
  std::size_t size() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  ///< shared with queries under way
};

/// `Resolver::process().resolve(...)`
Task<Result<std::vector<Address>>> resolve(std::string host, std::uint16_t port, TimePoint deadline);

}  // namespace sluice::net
