#include "provider/presets.h"

#include <algorithm>
#include <array>

namespace sluice {

namespace {

// From the providers' documentation of their OpenAI-compatible endpoints.
constexpr std::array<ProviderPreset, 13> presets{{
    {"openai", "https://api.openai.com/v1", "OPENAI_API_KEY"},
    {"deepseek", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY"},
    {"dashscope", "https://dashscope.aliyuncs.com/compatible-mode/v1", "DASHSCOPE_API_KEY"},
    {"groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY"},
    {"mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY"},
    {"moonshot", "https://api.moonshot.cn/v1", "MOONSHOT_API_KEY"},
    {"openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"},
    {"siliconflow", "https://api.siliconflow.cn/v1", "SILICONFLOW_API_KEY"},
    {"together", "https://api.together.xyz/v1", "TOGETHER_API_KEY"},
    {"fireworks", "https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY"},
    {"xai", "https://api.x.ai/v1", "XAI_API_KEY"},
    {"zhipu", "https://open.bigmodel.cn/api/paas/v4", "ZHIPUAI_API_KEY"},
    {"mock", "", ""},
}};

constexpr std::array<std::string_view, 8> later_types{"anthropic", "gemini", "vertex", "bedrock",
                                                      "azure",     "cohere", "ollama", "wenxin"};

}  // namespace

std::span<const ProviderPreset> provider_presets() { return presets; }

const ProviderPreset* find_preset(std::string_view type) {
  const auto found = std::ranges::find(presets, type, &ProviderPreset::type);
  return found == presets.end() ? nullptr : &*found;
}

std::span<const std::string_view> later_provider_types() { return later_types; }

}  // namespace sluice
