#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "gateway/config/schema.h"
#include "net/address.h"

namespace sluice {

namespace {

class Check {
 public:
  Check(Config& config, schema::Reader& reader) : config_(config), reader_(reader) {}

  void run() {
    name_routes();
    check_addresses();
    if (config_.providers.empty() && reader_.reported() == 0) {
      reader_.problem_at("providers", "there is no provider; add one, such as demo: {type: mock}, which needs no key");
    }
    for (const ModelConfig& model : config_.models) check_model(model);
    for (std::size_t i = 0; i < config_.routes.size(); ++i) check_route(i);
    leave_out_providers();
    leave_out_targets();
  }

 private:
  void name_routes() {
    for (std::size_t i = 0; i < config_.routes.size(); ++i) {
      if (config_.routes[i].name.empty()) config_.routes[i].name = fmt::format("route-{}", i + 1);
    }
  }

  void check_addresses() {
    if (config_.listeners.empty()) reader_.problem_at("listen", "needs at least one address");
    std::vector<std::string_view> seen;
    for (std::size_t i = 0; i < config_.listeners.size(); ++i) {
      check_address(seen, config_.listeners[i].address, fmt::format("listen[{}]", i));
    }
    check_address(seen, config_.admin, "admin");
    const auto admin = net::Address::parse(config_.admin);
    if (admin && !admin->is_loopback()) {
      config_.notes.push_back(fmt::format(
          "admin listens on {}: whoever reaches it may end streams and read the configuration", config_.admin));
    }
  }

  void check_address(std::vector<std::string_view>& seen, std::string_view address, const std::string& field) {
    const bool chosen_by_system = address.ends_with(":0");
    if (address.empty() || address == "off" || chosen_by_system) return;
    if (std::ranges::find(seen, address) != seen.end()) {
      reader_.problem_at(field, fmt::format("the address {} is used twice; change one", address));
    }
    seen.push_back(address);
  }

  void check_provider(std::string_view name, const std::string& field) {
    if (name.empty() || config_.find_provider(name) != nullptr) return;
    std::vector<std::string_view> names;
    for (const ProviderConfig& provider : config_.providers) names.push_back(provider.name);
    const std::string_view meant = text::nearest(name, names);
    reader_.problem_at(field, meant.empty() ? fmt::format("there is no such provider; define it under providers")
                                            : fmt::format("there is no such provider; did you mean \"{}\"?", meant));
  }

  void check_model(const ModelConfig& model) {
    const std::string field = fmt::format("models.{}", model.name);
    const std::string_view name = model.name;
    const std::size_t slash = name.find('/');
    if (slash != std::string::npos && config_.find_provider(name.substr(0, slash)) != nullptr) {
      reader_.problem_at(field, "the name already means a model of that provider; choose another");
    }
    for (std::size_t i = 0; i < model.targets.size(); ++i) {
      check_provider(model.targets[i].provider, fmt::format("{}.targets[{}].use", field, i));
    }
  }

  void check_route(std::size_t index) {
    const RouteConfig& route = config_.routes[index];
    const auto same_name = [&](const RouteConfig& other) { return other.name == route.name; };
    if (std::any_of(config_.routes.begin(), config_.routes.begin() + static_cast<std::ptrdiff_t>(index), same_name)) {
      reader_.problem_at(fmt::format("routes[{}].name", index),
                         fmt::format("the name \"{}\" is used twice; change one", route.name));
    }
    const std::string field = fmt::format("routes[{}].provider", index);
    check_provider(route.provider, field);
    const ProviderConfig* const provider = config_.find_provider(route.provider);
    if (provider != nullptr && !provider->disabled.empty()) {
      reader_.problem_at(
          field, fmt::format("the provider is left out because {}; set it, or remove the route", provider->disabled));
    }
  }

  void leave_out_providers() {
    for (const ProviderConfig& provider : config_.providers) {
      if (provider.disabled.empty()) continue;
      config_.disabled.push_back({provider.name, provider.disabled});
      config_.notes.push_back(fmt::format("provider {} is left out: {}", provider.name, provider.disabled));
    }
    std::erase_if(config_.providers, [](const ProviderConfig& provider) { return !provider.disabled.empty(); });
  }

  // After the providers: a target without one has lost it there, or was reported.
  void leave_out_targets() {
    for (ModelConfig& model : config_.models) {
      std::erase_if(model.targets,
                    [&](const ModelTarget& target) { return config_.find_provider(target.provider) == nullptr; });
      if (model.targets.empty()) {
        config_.notes.push_back(
            fmt::format("model {} is left out: so are the providers of all its targets", model.name));
      }
    }
    std::erase_if(config_.models, [](const ModelConfig& model) { return model.targets.empty(); });
  }

  Config& config_;
  schema::Reader& reader_;
};

}  // namespace

void check_config(Config& config, schema::Reader& reader) { Check(config, reader).run(); }

}  // namespace sluice
