#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "telemetry/cells.h"

namespace sluice::telemetry {

/// What one finished exchange adds to the metrics. Views live during the call.
struct Settlement {
  std::string_view route;
  std::string_view provider;  ///< empty: none was chosen
  std::string_view model;     ///< empty: the request named none
  std::string_view outcome;   ///< from a fixed set
  /// The model exists: it is configured or its provider answered. Others are counted as "other", so that invented names
  /// do not fill the table.
  bool model_known = false;

  Duration duration{};
  std::optional<Duration> first_token;
  const Gaps* gaps = nullptr;  ///< null: not streamed

  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;

  bool tokens_known = false;
  bool tokens_estimated = false;
  std::uint64_t prompt = 0;
  std::uint64_t completion = 0;
  std::uint64_t cached = 0;
  std::uint64_t reasoning = 0;
  std::optional<double> cost;  ///< US dollars
};

}  // namespace sluice::telemetry
