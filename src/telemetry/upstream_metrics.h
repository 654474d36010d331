#pragma once

#include <map>
#include <string>
#include <string_view>

#include "http/client.h"
#include "telemetry/metrics.h"

namespace sluice::telemetry {

/// Feeds what one worker's client tells about its connections into the metrics, under the names of providers. One
/// thread.
class UpstreamMetrics final : public http::ClientObserver {
 public:
  /// `metrics` outlives it.
  explicit UpstreamMetrics(Metrics& metrics) : metrics_(metrics) {}

  /// Which provider an endpoint's connections are counted under, from now on those made anew. Providers that share
  /// connections count under the one named first; unnamed endpoints under their identity.
  void name(std::string_view identity, std::string_view provider);

  void connection_opened(std::string_view identity) override;
  void connection_failed(std::string_view identity, const Error& error) override;
  void connection_closed(std::string_view identity) override;
  void idle_changed(std::string_view identity, int change) override;

 private:
  struct Handles {
    std::string provider;
    prometheus::Gauge* active = nullptr;
    prometheus::Gauge* idle = nullptr;
    prometheus::Counter* connected = nullptr;
  };
  Handles& handles(std::string_view identity);
  Handles make(std::string_view provider);

  Metrics& metrics_;
  std::map<std::string, Handles, std::less<>> by_identity_;
};

}  // namespace sluice::telemetry
