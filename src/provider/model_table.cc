#include "provider/model_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/text.h"

namespace sluice {
namespace {

constexpr std::string_view provider_prefix = "/providers/";
constexpr std::size_t max_suggestions = 3;
/// Longer names are not compared with ours, nor shown whole.
constexpr std::size_t max_shown = 100;

/// A client's text for an error message: bounded, and not cut inside a UTF-8 character.
std::string quoted(std::string_view text) {
  if (text.size() <= max_shown) return fmt::format("\"{}\"", text);
  std::size_t end = max_shown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return fmt::format("\"{}...\"", text.substr(0, end));
}

/// "name/rest" at the first slash; the whole text is the rest when there is none.
std::pair<std::string_view, std::string_view> split(std::string_view name) {
  const std::size_t slash = name.find('/');
  if (slash == std::string_view::npos) return {{}, name};
  return {name.substr(0, slash), name.substr(slash + 1)};
}

/// Keeps names by how near they are to what was asked for.
class Nearest {
 public:
  explicit Nearest(std::string_view wanted) : wanted_(wanted), bound_(std::max<std::size_t>(2, wanted.size() / 3)) {}

  void offer(std::string_view name) { offer(name, text::edit_distance(wanted_, name)); }
  void offer(std::string_view name, std::size_t distance) {
    const bool known = std::ranges::any_of(found_, [&](const auto& other) { return other.second == name; });
    if (distance <= bound_ && !known) found_.emplace_back(distance, name);
  }
  std::vector<std::string> best() {
    std::ranges::sort(found_);
    std::vector<std::string> names;
    for (const auto& [distance, name] : found_) {
      if (names.size() < max_suggestions) names.push_back(name);
    }
    return names;
  }

 private:
  std::string_view wanted_;
  std::size_t bound_;
  std::vector<std::pair<std::size_t, std::string>> found_;
};

std::string did_you_mean(const std::vector<std::string>& names) {
  if (names.empty()) return "";
  return fmt::format(" Did you mean \"{}\"?", fmt::join(names, "\" or \""));
}

Error client_error(ErrorKind kind, std::string text) {
  return {kind, ErrorSource::client, Retryable::no, std::move(text)};
}

}  // namespace

std::optional<ProviderPath> split_provider_path(std::string_view path) {
  if (!path.starts_with(provider_prefix)) return std::nullopt;
  const std::string_view under = path.substr(provider_prefix.size());
  const std::size_t slash = under.find('/');
  if (slash == 0 || slash == std::string_view::npos) return std::nullopt;
  return ProviderPath{under.substr(0, slash), under.substr(slash)};
}

ModelTable::ModelTable(const std::vector<ProviderConfig>& providers, const std::vector<ModelConfig>& models,
                       LeftOut left_out)
    : left_out_(std::move(left_out)) {
  for (const ProviderConfig& provider : providers) providers_.insert(provider.name);
  for (const ModelConfig& model : models) {
    if (model.targets.empty()) continue;
    Alias alias{model.targets, 0};
    for (const ModelTarget& target : model.targets) {
      alias.weight += target.weight;
      targets_.insert(target.provider + "/" + target.model);
    }
    aliases_.emplace(model.name, std::move(alias));
  }
}

ModelChoice ModelTable::pick(const std::string& name, const Alias& alias, std::uint64_t random) {
  const ModelTarget* chosen = &alias.targets.front();
  std::uint64_t left = alias.weight == 0 ? 0 : random % alias.weight;
  for (const ModelTarget& target : alias.targets) {
    if (left < target.weight) {
      chosen = &target;
      break;
    }
    left -= target.weight;
  }
  return {chosen->provider, chosen->model, name, true};
}

Result<ModelChoice> ModelTable::resolve(std::string_view name, std::uint64_t random) const {
  const auto alias = aliases_.find(name.empty() ? std::string_view("default") : name);
  if (alias != aliases_.end()) return pick(alias->first, alias->second, random);
  if (name.empty()) return tl::unexpected(no_model_named());

  const auto [provider, model] = split(name);
  if (!provider.empty() && !model.empty() && providers_.contains(provider)) {
    return ModelChoice{std::string(provider), std::string(model), std::string(model), targets_.contains(name)};
  }
  const bool names_a_provider = providers_.contains(provider) || why_left_out(provider) != nullptr;
  if (providers_.size() == 1 && !names_a_provider) {
    const std::string& only = *providers_.begin();
    return ModelChoice{only, std::string(name), std::string(name), targets_.contains(fmt::format("{}/{}", only, name))};
  }
  return tl::unexpected(unknown_model(name));
}

Result<std::string> ModelTable::choose_provider(const ProviderHints& hints) const {
  if (!hints.path.empty() && !hints.header.empty() && hints.path != hints.header) {
    return tl::unexpected(
        client_error(ErrorKind::bad_request,
                     fmt::format("The path names the provider {}, but the header x-sluice-provider names {}.",
                                 quoted(hints.path), quoted(hints.header))));
  }
  for (const std::string_view name : {hints.path, hints.header, hints.route}) {
    if (name.empty()) continue;
    if (providers_.contains(name)) return std::string(name);
    return tl::unexpected(unknown_provider(name));
  }
  if (providers_.size() == 1) return *providers_.begin();
  return tl::unexpected(client_error(
      ErrorKind::bad_request,
      fmt::format(
          "This request does not say which provider it is for. Name one in the header x-sluice-provider or call "
          "/providers/<name>/v1/... instead. There {} {}.",
          providers_.empty() ? "is" : "are",
          providers_.empty() ? "none" : fmt::format("{}", fmt::join(providers_, ", ")))));
}

std::vector<std::string_view> ModelTable::names() const {
  std::vector<std::string_view> names;
  for (const auto& [name, alias] : aliases_) names.push_back(name);
  return names;
}

Error ModelTable::unknown_model(std::string_view name) const {
  const auto [provider, model] = split(name);
  if (const std::string* const reason = why_left_out(provider)) {
    return client_error(ErrorKind::model_not_found,
                        fmt::format("The provider \"{}\" is not in use: {}.", provider, *reason));
  }
  if (!provider.empty() && model.empty()) {
    return client_error(ErrorKind::model_not_found,
                        fmt::format("The model {} names a provider only, no model of it.", quoted(name)));
  }
  std::string text = fmt::format("There is no model {}.{}", quoted(name), did_you_mean(near_models(name)));
  if (provider.empty() && !providers_.empty()) {
    text += fmt::format(" Any model can be asked for as provider/model; the providers are {}.",
                        fmt::join(providers_, ", "));
  }
  return client_error(ErrorKind::model_not_found, std::move(text));
}

Error ModelTable::unknown_provider(std::string_view name) const {
  if (const std::string* const reason = why_left_out(name)) {
    return client_error(ErrorKind::not_found, fmt::format("The provider \"{}\" is not in use: {}.", name, *reason));
  }
  Nearest nearest(name);
  if (name.size() <= max_shown) {
    for (const std::string& provider : providers_) nearest.offer(provider);
  }
  return client_error(ErrorKind::not_found,
                      fmt::format("There is no provider {}.{}", quoted(name), did_you_mean(nearest.best())));
}

Error ModelTable::no_model_named() const {
  return client_error(ErrorKind::bad_request,
                      "The request names no model. Name one, or give the configuration a model called \"default\".");
}

// Near are names of models, and models whose provider was left away or misspelled.
std::vector<std::string> ModelTable::near_models(std::string_view name) const {
  if (name.size() > max_shown) return {};
  Nearest nearest(name);
  for (const auto& [alias, targets] : aliases_) nearest.offer(alias);
  for (const std::string& target : targets_) {
    const std::size_t without_provider = text::edit_distance(name, split(target).second);
    nearest.offer(target, std::min(without_provider, text::edit_distance(name, target)));
  }
  const auto [provider, model] = split(name);
  if (!provider.empty()) {
    const std::vector<std::string_view> providers(providers_.begin(), providers_.end());
    const std::string_view meant = text::nearest(provider, providers);
    if (!meant.empty()) nearest.offer(fmt::format("{}/{}", meant, model), text::edit_distance(provider, meant));
  }
  return nearest.best();
}

const std::string* ModelTable::why_left_out(std::string_view provider) const {
  const auto found =
      std::ranges::find(left_out_, provider, [](const auto& entry) { return std::string_view(entry.first); });
  return found == left_out_.end() ? nullptr : &found->second;
}

}  // namespace sluice
