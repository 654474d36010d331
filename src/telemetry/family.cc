#include "telemetry/family.h"

#include <simdjson.h>

#include <limits>

namespace sluice::telemetry {
namespace {

prometheus::ClientMetric make_series(LabelViews labels) {
  prometheus::ClientMetric series;
  for (const auto& [name, value] : labels) series.label.push_back({std::string(name), label_value(value)});
  return series;
}

}  // namespace

std::string label_value(std::string_view value) {
  std::string result(value.substr(0, max_label_bytes));
  const bool is_text = simdjson::validate_utf8(result);
  for (char& c : result) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !is_text)) c = '_';
  }
  return result;
}

prometheus::MetricFamily make_family(std::string_view name, std::string_view help, prometheus::MetricType type) {
  prometheus::MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = type;
  return family;
}

void add_value(prometheus::MetricFamily& family, LabelViews labels, double value) {
  prometheus::ClientMetric series = make_series(labels);
  (family.type == prometheus::MetricType::Counter ? series.counter.value : series.gauge.value) = value;
  family.metric.push_back(std::move(series));
}

void add_histogram(prometheus::MetricFamily& family, LabelViews labels, std::span<const double> bounds,
                   std::span<const std::uint64_t> counts, double sum) {
  prometheus::ClientMetric series = make_series(labels);
  std::uint64_t cumulated = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    cumulated += counts[i];
    const double bound = i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity();
    series.histogram.bucket.push_back({cumulated, bound});
  }
  series.histogram.sample_count = cumulated;
  series.histogram.sample_sum = sum;
  family.metric.push_back(std::move(series));
}

}  // namespace sluice::telemetry
