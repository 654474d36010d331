#include "gateway/banner.h"

#include <fmt/format.h>

namespace sluice {
namespace {

std::string url_of(const ListenerConfig& listener) {
  std::string address = listener.address;
  if (address.starts_with("0.0.0.0:")) address.replace(0, 7, "127.0.0.1");
  if (address.starts_with("[::]:")) address.replace(0, 4, "[::1]");
  return fmt::format("{}://{}", listener.certificates.empty() ? "http" : "https", address);
}

/// A model that surely works: an alias named `default`, else the first alias, else one of the first provider.
std::string model_to_try(const Config& config) {
  if (config.find_model("default")) return "default";
  if (!config.models.empty()) return config.models.front().name;
  if (config.providers.empty()) return "MODEL";
  const ProviderConfig& provider = config.providers.front();
  return provider.name + "/" + (provider.is_mock() ? provider.mock.models.front() : "MODEL");
}

}  // namespace

std::string banner(const Config& config, const std::string& version) {
  std::string text = fmt::format("Sluice {}\n", version);
  for (const ListenerConfig& listener : config.listeners)
    text += fmt::format("  listens on  {}  ({})\n", url_of(listener), listener.address);
  if (config.admin != "off")
    text += fmt::format("  admin       http://{}  (/healthz /readyz /metrics)\n", config.admin);
  for (const ProviderConfig& provider : config.providers) {
    text += fmt::format("  provider    {}  ({}{}{})\n", provider.name, provider.type,
                        provider.base_url.empty() ? "" : ", ", provider.base_url);
  }
  for (const DisabledProvider& provider : config.disabled)
    text += fmt::format("  disabled    {}  ({})\n", provider.name, provider.reason);
  text += fmt::format(
      "\n  try: curl -N {}/v1/chat/completions -H 'content-type: application/json' \\\n"
      "         -d '{{\"model\":\"{}\",\"stream\":true,\"messages\":[{{\"role\":\"user\",\"content\":\"Hello\"}}]}}'\n",
      config.listeners.empty() ? "" : url_of(config.listeners.front()), model_to_try(config));
  return text;
}

}  // namespace sluice
