#include "pipeline/settle.h"

#include <chrono>

#include "telemetry/access_log.h"
#include "telemetry/access_row.h"
#include "telemetry/metrics.h"

namespace sluice {
namespace {

std::optional<Duration> since_start(const ExchangeRecord& record, TimePoint when) {
  if (when == TimePoint{}) return std::nullopt;
  return when - record.started;
}

/// Who answers a model with success has it.
bool provider_knows_model(const ExchangeRecord& record) { return record.status >= 200 && record.status < 400; }

telemetry::Settlement settlement_of(const ExchangeRecord& record) {
  telemetry::Settlement settlement;
  settlement.route = record.route;
  settlement.provider = record.provider;
  settlement.model = record.model;
  settlement.outcome = name_of(record.outcome);
  settlement.model_known = record.model_known || provider_knows_model(record);
  settlement.duration = record.ended - record.started;
  settlement.first_token = since_start(record, record.first_token);
  if (record.stream) settlement.gaps = &record.gaps;
  settlement.bytes_in = record.bytes_in;
  settlement.bytes_out = record.bytes_out;
  settlement.tokens_known = record.usage.known;
  settlement.tokens_estimated = record.usage.estimated;
  settlement.prompt = record.usage.prompt;
  settlement.completion = record.usage.completion;
  settlement.cached = record.usage.cached;
  settlement.reasoning = record.usage.reasoning;
  settlement.cost = record.cost;
  return settlement;
}

/// The record knows only monotonic times; the log wants the wall's.
std::chrono::system_clock::time_point wall_time(TimePoint when) {
  const auto ago = std::chrono::duration_cast<std::chrono::system_clock::duration>(Clock::now() - when);
  return std::chrono::system_clock::now() - ago;
}

telemetry::AccessRow row_of(const ExchangeRecord& record) {
  telemetry::AccessRow row;
  row.time = wall_time(record.started);
  row.id = record.id;
  row.client = record.client;
  row.method = record.method;
  row.path = std::string_view(record.path).substr(0, record.path.find('?'));
  row.route = record.route;
  row.provider = record.provider;
  row.model = record.model;
  row.upstream_model = record.upstream_model;
  row.status = record.status;
  row.outcome = name_of(record.outcome);
  row.code = record.error_code;
  row.stream = record.stream;
  row.duration = record.ended - record.started;
  row.first_token = since_start(record, record.first_token);
  row.bytes_in = record.bytes_in;
  row.bytes_out = record.bytes_out;
  const llm::Usage& usage = record.usage;
  if (usage.known) row.tokens = {usage.prompt, usage.completion, usage.cached, usage.reasoning, usage.estimated};
  row.cost = record.cost;
  return row;
}

}  // namespace

void settle(const ExchangeRecord& record, telemetry::Metrics& metrics, telemetry::AccessLog* log) {
  metrics.settle(settlement_of(record));
  if (log == nullptr || !log->enabled()) return;
  thread_local std::string line;
  line.clear();
  telemetry::append_json_line(row_of(record), line);
  log->write(line);
}

}  // namespace sluice
