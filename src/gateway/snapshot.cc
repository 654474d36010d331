#include "gateway/snapshot.h"

#include <fmt/format.h>

#include "gateway/route_stage.h"
#include "provider/provider_stage.h"

namespace sluice {
namespace {

Result<void> load_certificates(Snapshot& snapshot) {
  for (const ListenerConfig& listener : snapshot.config.listeners) {
    if (listener.certificates.empty()) continue;
    net::ServerTlsOptions options;
    options.certificates = listener.certificates;
    Result<std::shared_ptr<net::TlsContext>> context = net::TlsContext::server(options);
    if (!context) {
      context.error().text = fmt::format("listen {}: {}", listener.address, context.error().text);
      return forward(context);
    }
    snapshot.tls.emplace(listener.address, std::move(*context));
  }
  return {};
}

ModelTable::LeftOut left_out(const Config& config) {
  ModelTable::LeftOut result;
  for (const DisabledProvider& provider : config.disabled) result.emplace_back(provider.name, provider.reason);
  return result;
}

std::vector<llm::Price> price_overrides(const std::vector<PriceConfig>& configs) {
  std::vector<llm::Price> prices;
  for (const PriceConfig& config : configs) {
    prices.push_back(
        {config.model, config.input.value_or(0), config.output.value_or(0), config.cached_input, {}, {}, {}});
  }
  return prices;
}

}  // namespace

Result<std::shared_ptr<const Snapshot>> Snapshot::build(Config config, std::uint64_t revision) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->config = std::move(config);
  snapshot->revision = revision;
  const Config& settled = snapshot->config;

  Result<std::unique_ptr<Providers>> providers = Providers::build(settled.providers);
  if (!providers) return forward(providers);
  snapshot->providers = std::move(*providers);
  if (Result<void> loaded = load_certificates(*snapshot); !loaded) return forward(loaded);

  snapshot->models = std::make_unique<ModelTable>(settled.providers, settled.models, left_out(settled));
  snapshot->routes = std::make_unique<RouteTable>(settled);
  snapshot->prices = std::make_unique<llm::PriceTable>(price_overrides(settled.prices));
  auto server = std::make_shared<http::ServerSettings>();
  server->limits = settled.limits;
  snapshot->server = std::move(server);

  // The onion, from the outside in.
  snapshot->stages.push_back(std::make_unique<RouteStage>(*snapshot->routes));
  snapshot->stages.push_back(
      std::make_unique<ProviderStage>(*snapshot->providers, *snapshot->models, settled.models, *snapshot->prices));
  return std::shared_ptr<const Snapshot>(std::move(snapshot));
}

}  // namespace sluice
