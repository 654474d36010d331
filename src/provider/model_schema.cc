#include <fmt/format.h>

#include "base/schema_types.h"
#include "provider/schema.h"

namespace sluice {

namespace {

using namespace schema;
using yaml::Node;

std::string name_of(const ModelTarget& target) { return fmt::format("{}/{}", target.provider, target.model); }

Type<ModelTarget> use() {
  Type<ModelTarget> type;
  const Type<std::string> name = text();
  type.about = name.about;
  type.about.type = "provider/model";
  type.read = [name](const Node& node, ModelTarget& target, Reader& reader) {
    std::string value;
    name.read(node, value, reader);
    if (value.empty()) return;
    const std::size_t slash = value.find('/');
    if (slash == 0 || slash == std::string::npos || slash + 1 == value.size()) {
      return reader.problem(fmt::format("must be provider/model, such as openai/gpt-4o, not \"{}\"", node.shown()));
    }
    target.provider = value.substr(0, slash);
    target.model = value.substr(slash + 1);
  };
  type.show = [](const ModelTarget& target) {
    return target.provider.empty() ? json::value() : json::value(name_of(target));
  };
  return type;
}

const Object<ModelTarget>& target_schema() {
  static const auto object =
      Object<ModelTarget>("One of several models that a name stands for.")
          .field("use", whole, use(), "Provider and its own name of the model.", Presence::required)
          .field("weight", &ModelTarget::weight, as<std::uint32_t>(integer(1, 1'000'000)),
                 "Its share of the requests, relative to the other targets.");
  return object;
}

const Object<ModelConfig>& model_schema() {
  static const auto object =
      Object<ModelConfig>("What a model name stands for. `name: provider/model` is short for one target.")
          .field("targets", &ModelConfig::targets, list_of(either(use(), target_schema().type())),
                 "The models that share its requests by weight.", Presence::required)
          .later({"fallback", "fallback_on", "retry", "breaker", "hedge", "resume"})
          .finish([](ModelConfig& model, Reader& reader) {
            if (model.targets.empty()) reader.problem("needs at least one target");
          });
  return object;
}

Type<ModelConfig> model_alias() {
  Type<ModelConfig> type;
  type.about = use().about;
  type.read = [read = use().read](const Node& node, ModelConfig& model, Reader& reader) {
    ModelTarget target;
    read(node, target, reader);
    if (!target.provider.empty()) model.targets = {std::move(target)};
  };
  return type;
}

}  // namespace

Type<ModelConfig> model_type() {
  Type<ModelConfig> type = either(model_alias(), model_schema().type());
  type.show = [show = type.show](const ModelConfig& model) {
    const bool alias = model.targets.size() == 1 && model.targets[0].weight == 1;
    return alias ? json::value(name_of(model.targets[0])) : show(model);
  };
  return type;
}

const Object<PriceConfig>& price_schema() {
  const auto dollars = [] { return maybe(number(0, 1'000'000)); };
  static const auto object =
      Object<PriceConfig>(
          "What a model costs, in US dollars per million tokens. The name may hold `*`; the first match wins.")
          .field("input", &PriceConfig::input, dollars(), "Prompt tokens.", Presence::required)
          .field("output", &PriceConfig::output, dollars(), "Completion tokens.", Presence::required)
          .field("cached_input", &PriceConfig::cached_input, dollars(),
                 "Prompt tokens from the provider's cache. Default: as `input`.");
  return object;
}

}  // namespace sluice
