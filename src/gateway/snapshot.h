#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "gateway/config/config.h"
#include "gateway/route_table.h"
#include "http/server.h"
#include "llm/prices.h"
#include "net/tls.h"
#include "pipeline/stage.h"
#include "provider/model_table.h"
#include "provider/upstream.h"

namespace sluice {

/// One configuration made ready to serve: immutable, shared by all workers, kept by every exchange that began with it.
/// What must survive a reload (connections, counters, pools) lives outside.
struct Snapshot {
  Config config;
  std::uint64_t revision = 0;
  std::unique_ptr<Providers> providers;
  std::unique_ptr<ModelTable> models;
  std::unique_ptr<RouteTable> routes;
  std::unique_ptr<llm::PriceTable> prices;
  std::vector<std::unique_ptr<Stage>> stages;
  std::shared_ptr<const http::ServerSettings> server;
  /// By listener address; a plain listener has none.
  std::map<std::string, std::shared_ptr<net::TlsContext>, std::less<>> tls;

  /// Everything that can fail about a valid configuration fails here (certificates, CA files), before any worker sees
  /// it.
  static Result<std::shared_ptr<const Snapshot>> build(Config config, std::uint64_t revision);
};

}  // namespace sluice
