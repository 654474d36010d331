#include <benchmark/benchmark.h>
#include <prometheus/histogram.h>

#include "telemetry/access_log.h"
#include "telemetry/access_row.h"
#include "telemetry/metrics.h"

namespace sluice::telemetry {
namespace {

Settlement settlement(const Gaps& gaps) {
  Settlement settled;
  settled.route = "default";
  settled.provider = "openai";
  settled.model = "gpt-4o-mini";
  settled.outcome = "ok";
  settled.model_known = true;
  settled.duration = std::chrono::milliseconds(1500);
  settled.first_token = std::chrono::milliseconds(300);
  settled.gaps = &gaps;
  settled.bytes_in = 1000;
  settled.bytes_out = 20'000;
  settled.tokens_known = true;
  settled.prompt = 100;
  settled.completion = 200;
  settled.cost = 0.001;
  return settled;
}

Metrics& shared_metrics() {
  static Metrics metrics("bench");
  return metrics;
}

void settle_one(benchmark::State& state) {
  Metrics& metrics = shared_metrics();
  Gaps gaps;
  TimePoint now = Clock::now();
  for (int i = 0; i < 100; ++i) gaps.note(now += std::chrono::milliseconds(i));
  const Settlement settled = settlement(gaps);
  for (auto _ : state) {
    metrics.exchange_began();
    metrics.settle(settled);
    metrics.exchange_ended();
  }
}
BENCHMARK(settle_one)->Threads(1)->Threads(2);

void note_gap(benchmark::State& state) {
  Gaps gaps;
  TimePoint now = Clock::now();
  for (auto _ : state) gaps.note(now += std::chrono::milliseconds(20));
}
BENCHMARK(note_gap);

/// What the library's own histogram costs, for comparison: it takes a lock.
void library_histogram(benchmark::State& state) {
  static prometheus::Histogram histogram(
      prometheus::Histogram::BucketBoundaries(duration_bounds.begin(), duration_bounds.end()));
  for (auto _ : state) histogram.Observe(1.5);
}
BENCHMARK(library_histogram)->Threads(1)->Threads(2);

void render_line(benchmark::State& state) {
  AccessRow row;
  row.time = std::chrono::system_clock::now();
  row.id = "req_0123456789abcdef0123456789abcdef";
  row.client = "10.0.0.7";
  row.method = "POST";
  row.path = "/v1/chat/completions";
  row.route = "default";
  row.provider = "openai";
  row.model = row.upstream_model = "gpt-4o-mini";
  row.status = 200;
  row.outcome = "ok";
  row.duration = std::chrono::milliseconds(1500);
  row.tokens = {100, 200, 0, 0, false};
  row.cost = 0.001;
  std::string line;
  for (auto _ : state) {
    line.clear();
    append_json_line(row, line);
    benchmark::DoNotOptimize(line.data());
  }
}
BENCHMARK(render_line);

void write_line(benchmark::State& state) {
  AccessLog log("/dev/null", shared_metrics());
  const std::string line = std::string(450, 'x') + "\n";
  for (auto _ : state) log.write(line);
  state.counters["dropped"] = static_cast<double>(log.dropped());
}
BENCHMARK(write_line);

void render_page(benchmark::State& state) {
  Metrics metrics("bench");
  Gaps gaps;
  Settlement settled = settlement(gaps);
  for (int i = 0; i < 200; ++i) {
    const std::string model = "model-" + std::to_string(i);
    settled.model = model;
    metrics.settle(settled);
  }
  for (auto _ : state) benchmark::DoNotOptimize(metrics.render());
}
BENCHMARK(render_page)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace sluice::telemetry
