#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "telemetry/settlement.h"

namespace prometheus {
class Counter;
class Gauge;
}  // namespace prometheus

namespace sluice::telemetry {

/// Everything this process counts, in Prometheus terms; docs/metrics.md lists the names. One for the life of the
/// process: counters outlive every reload. Any method from any thread. Labels are bounded: what would exceed
/// `max_series` of one name is counted as "other".
class Metrics {
 public:
  static constexpr std::size_t default_max_series = 2000;

  explicit Metrics(std::string_view version, std::size_t max_series = default_max_series);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // Exchanges. Cheap: into a table of this thread, without locks.
  void settle(const Settlement& settlement);
  /// One more or one less exchange under way. REQUIRES: both on the same thread.
  void exchange_began();
  void exchange_ended();
  void keep_alive_comment();

  // Clients' connections.
  void connection_opened(std::string_view listener);
  void connection_closed(std::string_view listener);
  void connection_refused(std::string_view reason);
  /// Input that is no valid request, by a reason from a fixed set.
  void rejected_request(std::string_view reason);

  // Providers' connections: handles to keep, valid as long as this object. `state` is "idle" or "active".
  prometheus::Gauge& upstream_connections(std::string_view provider, std::string_view state);
  /// `outcome` is "ok" or the code of the error.
  prometheus::Counter& upstream_connects(std::string_view provider, std::string_view outcome);

  // The process.
  void reloaded(bool ok);
  void draining(bool on);
  /// How late the worker's loop came last.
  void loop_lag(std::size_t worker, double seconds);
  void access_log_dropped(std::size_t lines);

  /// The page of /metrics: Prometheus' text format 0.0.4.
  std::string render() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::telemetry
