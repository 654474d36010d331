#pragma once

#include <prometheus/metric_family.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "telemetry/cells.h"
#include "telemetry/settlement.h"

namespace sluice::telemetry {

/// The metrics of exchanges. Every thread counts into a table of its own, without locks in the steady state; reading
/// sums the tables up. A thread's table stays when the thread ends, and another thread takes it over.
///
/// Threads: `settle`, `began`, `ended` and `comment` from any, `collect` from any.
class ExchangeSeries {
 public:
  /// Label combinations beyond `max_series` are counted together as "other".
  explicit ExchangeSeries(std::size_t max_series);
  ~ExchangeSeries();

  void settle(const Settlement& settlement);
  /// Exchanges under way. REQUIRES: both on the same thread.
  void began();
  void ended();
  /// A comment was sent to keep a silent stream alive.
  void comment();

  std::vector<prometheus::MetricFamily> collect() const;

 private:
  struct KeyView {
    std::string_view route;
    std::string_view provider;
    std::string_view model;
    std::string_view outcome;
    auto operator<=>(const KeyView&) const = default;
  };
  struct Key {
    std::string route;
    std::string provider;
    std::string model;
    std::string outcome;
    explicit Key(const KeyView& view)
        : route(view.route), provider(view.provider), model(view.model), outcome(view.outcome) {}
    operator KeyView() const { return {route, provider, model, outcome}; }
  };
  struct KeyHash {
    using is_transparent = void;
    std::size_t operator()(const KeyView& key) const;
  };
  struct KeyEqual {
    using is_transparent = void;
    bool operator()(const KeyView& a, const KeyView& b) const { return a == b; }
  };
  struct KeyLess {
    using is_transparent = void;
    bool operator()(const KeyView& a, const KeyView& b) const { return a < b; }
  };

  struct Series;
  struct Totals;
  struct Table;
  class Leases;

  Table& own_table();
  std::shared_ptr<Table> take_table();
  Series& series_of(Table& table, const Settlement& settlement);
  Series& admit(Table& table, const Settlement& settlement);
  /// The combination under which `key` is counted. REQUIRES: mutex_ is held.
  Key admitted(const KeyView& key, bool model_known);

  const std::uint64_t id_;  ///< tells this object from one that stood at its address before
  const std::size_t max_series_;
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Table>> tables_;
  std::set<Key, KeyLess> known_;
  std::set<std::pair<std::string, std::string>> known_models_;  ///< provider and model
};

}  // namespace sluice::telemetry
