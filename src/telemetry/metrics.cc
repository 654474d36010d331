#include "telemetry/metrics.h"

#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/text_serializer.h>

#include "telemetry/exchange_series.h"
#include "telemetry/labelled.h"

namespace sluice::telemetry {

using prometheus::Counter;
using prometheus::Gauge;

struct Metrics::Impl {
  explicit Impl(std::size_t max) : max_series(max), exchanges(max) {}

  std::size_t max_series;
  ExchangeSeries exchanges;
  Labelled<Gauge, 1> connections{"sluice_connections", "Clients' connections now open.", {"listener"}, max_series};
  Labelled<Counter, 1> connections_total{
      "sluice_connections_total", "Clients' connections ever opened.", {"listener"}, max_series};
  Labelled<Counter, 1> refused{
      "sluice_connections_refused_total", "Clients' connections refused.", {"reason"}, max_series};
  Labelled<Counter, 1> rejected{
      "sluice_rejected_requests_total", "Input that was no valid request or broke a limit.", {"reason"}, max_series};
  Labelled<Gauge, 2> upstream_connections{
      "sluice_upstream_connections", "Connections to providers now open.", {"provider", "state"}, max_series};
  Labelled<Counter, 2> upstream_connects{
      "sluice_upstream_connects_total", "Attempts to connect to providers.", {"provider", "outcome"}, max_series};
  Labelled<Counter, 1> reloads{"sluice_reloads_total", "Reloads of the configuration.", {"outcome"}, max_series};
  Labelled<Gauge, 0> last_reload{
      "sluice_config_last_reload_success", "1 if the last reload, or the start, took effect.", {}, max_series};
  Labelled<Gauge, 1> lag{
      "sluice_loop_lag_seconds", "How late the worker's event loop came last.", {"worker"}, max_series};
  Labelled<Counter, 0> access_log_dropped{
      "sluice_access_log_dropped_total", "Lines of the access log that were not written.", {}, max_series};
  Labelled<Gauge, 0> draining{"sluice_draining", "1 while shutting down.", {}, max_series};
  Labelled<Gauge, 1> build{"sluice_build_info", "Always 1; the label tells the version.", {"version"}, max_series};
};

Metrics::Metrics(std::string_view version, std::size_t max_series) : impl_(std::make_unique<Impl>(max_series)) {
  impl_->build.at({version}).Set(1);
  impl_->last_reload.at({}).Set(1);
  impl_->draining.at({}).Set(0);
  impl_->access_log_dropped.at({});
  // There from the start, so that a rate over them has a beginning.
  impl_->reloads.at({"ok"});
  impl_->reloads.at({"failed"});
}

Metrics::~Metrics() = default;

void Metrics::settle(const Settlement& settlement) { impl_->exchanges.settle(settlement); }
void Metrics::exchange_began() { impl_->exchanges.began(); }
void Metrics::exchange_ended() { impl_->exchanges.ended(); }
void Metrics::keep_alive_comment() { impl_->exchanges.comment(); }

void Metrics::connection_opened(std::string_view listener) {
  impl_->connections.at({listener}).Increment();
  impl_->connections_total.at({listener}).Increment();
}
void Metrics::connection_closed(std::string_view listener) { impl_->connections.at({listener}).Decrement(); }
void Metrics::connection_refused(std::string_view reason) { impl_->refused.at({reason}).Increment(); }
void Metrics::rejected_request(std::string_view reason) { impl_->rejected.at({reason}).Increment(); }

Gauge& Metrics::upstream_connections(std::string_view provider, std::string_view state) {
  return impl_->upstream_connections.at({provider, state});
}
Counter& Metrics::upstream_connects(std::string_view provider, std::string_view outcome) {
  return impl_->upstream_connects.at({provider, outcome});
}

void Metrics::reloaded(bool ok) {
  impl_->reloads.at({ok ? "ok" : "failed"}).Increment();
  impl_->last_reload.at({}).Set(ok ? 1 : 0);
}
void Metrics::draining(bool on) { impl_->draining.at({}).Set(on ? 1 : 0); }
void Metrics::loop_lag(std::size_t worker, double seconds) {
  impl_->lag.at({fmt::format_int(worker).str()}).Set(seconds);
}
void Metrics::access_log_dropped(std::size_t lines) {
  impl_->access_log_dropped.at({}).Increment(static_cast<double>(lines));
}

std::string Metrics::render() const {
  std::vector<prometheus::MetricFamily> families = impl_->exchanges.collect();
  const auto add = [&](const auto&... family) { (families.push_back(family.collect()), ...); };
  add(impl_->connections, impl_->connections_total, impl_->refused, impl_->rejected, impl_->upstream_connections,
      impl_->upstream_connects, impl_->reloads, impl_->last_reload, impl_->lag, impl_->access_log_dropped,
      impl_->draining, impl_->build);
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace sluice::telemetry
