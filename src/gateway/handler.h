#pragma once

#include <memory>
#include <string_view>

#include "gateway/live.h"
#include "gateway/snapshot.h"
#include "http/client.h"
#include "http/server.h"
#include "telemetry/access_log.h"
#include "telemetry/metrics.h"

namespace sluice {

/// What all workers share; everything in it is thread-safe and outlives them.
struct GatewayShared {
  telemetry::Metrics& metrics;
  telemetry::AccessLog& access_log;
  http::ConnectionGauge& connections;
};

/// Turns requests of one worker into exchanges and sends them down the pipeline.
class GatewayHandler final : public http::Handler {
 public:
  GatewayHandler(GatewayShared& shared, LiveExchanges& live, http::Client& upstreams);

  void set_snapshot(std::shared_ptr<const Snapshot> snapshot) { snapshot_ = std::move(snapshot); }

  Task<http::Response> handle(http::Request& request) override;
  http::Response fail(int status, const Error& error) override;

 private:
  void begin(Exchange& exchange, http::Request& request) const;

  GatewayShared& shared_;
  LiveExchanges& live_;
  http::Client& upstreams_;
  std::shared_ptr<const Snapshot> snapshot_;
};

}  // namespace sluice
