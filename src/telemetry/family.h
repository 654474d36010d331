#pragma once

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

/// Helpers that build what prometheus-cpp's text serializer takes.
namespace sluice::telemetry {

inline constexpr std::size_t max_label_bytes = 128;

using LabelViews = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// A label's value made fit for the text format: bounded, valid UTF-8, without control characters. One bad value would
/// otherwise cost the whole page.
std::string label_value(std::string_view value);

prometheus::MetricFamily make_family(std::string_view name, std::string_view help, prometheus::MetricType type);

/// Appends one series with its value, as the family's type wants.
void add_value(prometheus::MetricFamily& family, LabelViews labels, double value);
/// `counts` by bucket, one more than `bounds`, not cumulated.
void add_histogram(prometheus::MetricFamily& family, LabelViews labels, std::span<const double> bounds,
                   std::span<const std::uint64_t> counts, double sum);

}  // namespace sluice::telemetry
