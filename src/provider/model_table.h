#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "provider/config.h"

namespace sluice {

/// What a client's model name comes to.
struct ModelChoice {
  std::string provider;     ///< a configured provider
  std::string model;        ///< what that provider calls it
  std::string label;        ///< for metrics and logs: the alias, or else the provider's own name
  bool configured = false;  ///< the label stands in the configuration; otherwise the client spelled it
};

/// How a request without a model says whom it is for. All may be empty.
struct ProviderHints {
  std::string_view path;    ///< the provider of a path such as /providers/<name>/v1/files
  std::string_view header;  ///< the value of `x-sluice-provider`
  std::string_view route;   ///< the matching route's provider
};

/// A path such as /providers/openai/v1/files, taken apart.
struct ProviderPath {
  std::string_view provider;  ///< "openai"
  std::string_view rest;      ///< "/v1/files"
};
/// Nothing if `path` has no such prefix. Views into `path`.
std::optional<ProviderPath> split_provider_path(std::string_view path);

/// Which provider answers for which model name, in one configuration. Immutable; any thread.
class ModelTable {
 public:
  /// Names of providers that are configured but left out, with the reason for people.
  using LeftOut = std::vector<std::pair<std::string, std::string>>;

  ModelTable(const std::vector<ProviderConfig>& providers, const std::vector<ModelConfig>& models,
             LeftOut left_out = {});

  /// What `name` means: a name of `models:` (one of its targets, by weight), "provider/model", or with a single
  /// provider any name at all. An empty name means the alias `default`, where there is one. `random` picks the target:
  /// any number, evenly distributed. Fails with not_found (or bad_request for an empty name) in words for the client,
  /// naming what is near.
  Result<ModelChoice> resolve(std::string_view name, std::uint64_t random) const;

  /// Who answers a request that names no model: path, header and route in this order, or the only provider. The path
  /// and the header must not contradict each other.
  Result<std::string> choose_provider(const ProviderHints& hints) const;

  /// The names of `models:`, in alphabetical order. Views live as long as the table.
  std::vector<std::string_view> names() const;

  bool has_provider(std::string_view name) const { return providers_.contains(name); }

 private:
  struct Alias {
    std::vector<ModelTarget> targets;
    std::uint64_t weight = 0;  ///< of all targets together
  };

  static ModelChoice pick(const std::string& name, const Alias& alias, std::uint64_t random);
  Error unknown_model(std::string_view name) const;
  Error unknown_provider(std::string_view name) const;
  Error no_model_named() const;
  std::vector<std::string> near_models(std::string_view name) const;
  const std::string* why_left_out(std::string_view provider) const;

  std::set<std::string, std::less<>> providers_;
  std::map<std::string, Alias, std::less<>> aliases_;
  std::set<std::string, std::less<>> targets_;  ///< every "provider/model" that the configuration mentions
  LeftOut left_out_;
};

}  // namespace sluice
