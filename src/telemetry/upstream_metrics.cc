#include "telemetry/upstream_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>

namespace sluice::telemetry {

void UpstreamMetrics::name(std::string_view identity, std::string_view provider) {
  // The first name stays, also over reloads: a connection must be counted out where it was counted in.
  if (by_identity_.find(identity) == by_identity_.end()) by_identity_.emplace(identity, make(provider));
}

void UpstreamMetrics::connection_opened(std::string_view identity) {
  Handles& of = handles(identity);
  of.connected->Increment();
  of.active->Increment();
}

void UpstreamMetrics::connection_failed(std::string_view identity, const Error& error) {
  metrics_.upstream_connects(handles(identity).provider, code_of(error.kind)).Increment();
}

void UpstreamMetrics::connection_closed(std::string_view identity) { handles(identity).active->Decrement(); }

void UpstreamMetrics::idle_changed(std::string_view identity, int change) {
  Handles& of = handles(identity);
  of.idle->Increment(change);
  of.active->Decrement(change);
}

UpstreamMetrics::Handles& UpstreamMetrics::handles(std::string_view identity) {
  const auto found = by_identity_.find(identity);
  if (found != by_identity_.end()) return found->second;
  return by_identity_.emplace(identity, make(identity)).first->second;
}

UpstreamMetrics::Handles UpstreamMetrics::make(std::string_view provider) {
  return {std::string(provider), &metrics_.upstream_connections(provider, "active"),
          &metrics_.upstream_connections(provider, "idle"), &metrics_.upstream_connects(provider, "ok")};
}

}  // namespace sluice::telemetry
