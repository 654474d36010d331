#pragma once

#include "pipeline/exchange.h"

namespace sluice {

namespace telemetry {
class AccessLog;
class Metrics;
}  // namespace telemetry

/// Counts a finished exchange in the metrics and writes its line of the access log (`log` null or disabled: none).
/// Called exactly once for each exchange, with `ended` and `outcome` set; any thread.
void settle(const ExchangeRecord& record, telemetry::Metrics& metrics, telemetry::AccessLog* log);

}  // namespace sluice
