#include "llm/prices.h"

#include <fmt/format.h>

#include "base/glob.h"

namespace sluice::llm {
namespace {

constexpr double per_token = 1e-6;

bool names(const Price& price, std::string_view provider, std::string_view model) {
  if (price.model.find('/') == std::string::npos) return text::glob_matches(price.model, model);
  return text::glob_matches(price.model, model) ||
         text::glob_matches(price.model, fmt::format("{}/{}", provider, model));
}

}  // namespace

PriceTable::PriceTable(std::vector<Price> overrides) : prices_(std::move(overrides)) {
  prices_.insert(prices_.end(), shipped_prices().begin(), shipped_prices().end());
}

const Price* PriceTable::find(std::string_view provider, std::string_view model) const {
  for (const Price& price : prices_) {
    if (names(price, provider, model)) return &price;
  }
  return nullptr;
}

std::optional<double> PriceTable::cost(std::string_view provider, std::string_view model, const Usage& usage) const {
  const Price* price = usage.known ? find(provider, model) : nullptr;
  if (!price) return std::nullopt;
  const auto tokens = [](std::uint64_t count) { return static_cast<double>(count); };
  // Cached, written and audio tokens are part of the prompt's count; reasoning and audio part of the completion's.
  const std::uint64_t apart = usage.cached + usage.cache_write + usage.audio_prompt;
  const double plain_prompt = tokens(usage.prompt - std::min(usage.prompt, apart));
  const double plain_completion = tokens(usage.completion - std::min(usage.completion, usage.audio_completion));
  const double dollars_per_million =
      plain_prompt * price->input + tokens(usage.cached) * price->cached_input.value_or(price->input) +
      tokens(usage.cache_write) * price->cache_write.value_or(price->input) +
      tokens(usage.audio_prompt) * price->audio_input.value_or(price->input) + plain_completion * price->output +
      tokens(usage.audio_completion) * price->audio_output.value_or(price->output);
  return dollars_per_million * per_token;
}

}  // namespace sluice::llm
