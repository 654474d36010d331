#pragma once

#include <prometheus/metric_family.h>

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>

#include "telemetry/family.h"

namespace sluice::telemetry {

/// Counters or gauges of prometheus-cpp under one name, told apart by up to two labels, at most `max_series` of them:
/// more share the series "other". For what happens far less often than exchanges do; any thread.
template <class Value, std::size_t labels>
class Labelled {
 public:
  using Names = std::array<std::string_view, labels>;

  Labelled(std::string_view name, std::string_view help, Names names, std::size_t max_series)
      : name_(name), help_(help), names_(names), max_series_(max_series) {}

  /// Stays valid as long as this object does.
  Value& at(const Names& values) {
    {
      const std::shared_lock lock(mutex_);
      if (Value* const found = find(values)) return *found;
    }
    const std::unique_lock lock(mutex_);
    if (Value* const found = find(values)) return *found;
    return insert(series_.size() < max_series_ ? values : others());
  }

  prometheus::MetricFamily collect() const {
    prometheus::MetricFamily family = make_family(name_, help_, Value::metric_type);
    const std::shared_lock lock(mutex_);
    for (const auto& [values, value] : series_) {
      prometheus::ClientMetric metric = value->Collect();
      for (std::size_t i = 0; i < labels; ++i) metric.label.push_back({std::string(names_[i]), values[i]});
      family.metric.push_back(std::move(metric));
    }
    return family;
  }

 private:
  using Values = std::array<std::string, labels>;
  struct Less {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      for (std::size_t i = 0; i < labels; ++i) {
        const int order = std::string_view(a[i]).compare(b[i]);
        if (order != 0) return order < 0;
      }
      return false;
    }
  };

  static Names others() {
    Names values;
    values.fill("other");
    return values;
  }
  Value* find(const Names& values) const {
    const auto found = series_.find(values);
    return found == series_.end() ? nullptr : found->second.get();
  }
  Value& insert(const Names& values) {
    Values owned;
    for (std::size_t i = 0; i < labels; ++i) owned[i] = label_value(values[i]);
    std::unique_ptr<Value>& value = series_[std::move(owned)];
    if (!value) value = std::make_unique<Value>();
    return *value;
  }

  std::string name_;
  std::string help_;
  Names names_;
  std::size_t max_series_;
  mutable std::shared_mutex mutex_;
  std::map<Values, std::unique_ptr<Value>, Less> series_;
};

}  // namespace sluice::telemetry
