#pragma once

#include <span>
#include <string_view>

namespace sluice {

/// What is known of a provider beforehand, by the `type` that the configuration gives.
struct ProviderPreset {
  std::string_view type;
  std::string_view base_url;  ///< empty: nothing to call
  std::string_view key_env;   ///< the environment variable that usually holds its key; empty: none
};

/// Every type that exists, all of them spoken to in OpenAI's protocol.
std::span<const ProviderPreset> provider_presets();
/// Null if there is no such type.
const ProviderPreset* find_preset(std::string_view type);
/// Types of later versions, to tell them from mistakes.
std::span<const std::string_view> later_provider_types();

}  // namespace sluice
