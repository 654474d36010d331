#pragma once

#include <string>
#include <string_view>

#include "base/schema.h"
#include "provider/config.h"

namespace sluice {

/// The keys of one provider. Completes it from its type's preset.
const schema::Object<ProviderConfig>& provider_schema();
/// What a model name stands for: "provider/model", or a map of targets.
schema::Type<ModelConfig> model_type();
/// The keys of one price.
const schema::Object<PriceConfig>& price_schema();

/// What is wrong with the name of a provider or a route, or nothing: they become labels and parts of paths.
std::string label_complaint(std::string_view name);

}  // namespace sluice
