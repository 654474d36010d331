#include "llm/prices.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "base/glob.h"

namespace sluice::llm {
namespace {

constexpr double per_token = 1e-6;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Whether `text` ends like `shape`, in which # stands for a digit.
bool ends_like(std::string_view text, std::string_view shape) {
  if (text.size() <= shape.size()) return false;
  text.remove_prefix(text.size() - shape.size());
  return std::equal(text.begin(), text.end(), shape.begin(),
                    [](char c, char s) { return s == '#' ? is_digit(c) : c == s; });
}

/// -0613, -001, -20250514
std::size_t number_at_end(std::string_view model) {
  std::size_t digits = 0;
  while (digits < model.size() && is_digit(model[model.size() - 1 - digits])) ++digits;
  return digits >= 3 && digits < model.size() && model[model.size() - 1 - digits] == '-' ? digits + 1 : 0;
}

/// The model that a dated, numbered, latest or preview name is a version of; empty if the name is none. A short number
/// is no version: claude-sonnet-4-5 is another model than claude-sonnet-4.
std::string_view without_version(std::string_view model) {
  if (const std::size_t at = model.find('@'); at != std::string_view::npos) return model.substr(0, at);
  for (const std::string_view shape : {"-####-##-##", "-##-####", "-##-##", "-latest", "-preview"}) {
    if (ends_like(model, shape)) return model.substr(0, model.size() - shape.size());
  }
  const std::size_t number = number_at_end(model);
  return number > 0 ? model.substr(0, model.size() - number) : std::string_view();
}

/// A name in pieces, compared as if they were joined.
struct Name {
  std::string_view provider;  ///< empty: none
  std::string_view model;

  int compared_to(std::string_view text) const {
    if (provider.empty()) return model.compare(text);
    const int order = provider.compare(text.substr(0, provider.size()));
    if (order != 0) return order;
    text.remove_prefix(provider.size());
    if (!text.starts_with('/')) return text.empty() || text.front() < '/' ? 1 : -1;
    return model.compare(text.substr(1));
  }
};

const Price* find_shipped(const Name& name, std::uint64_t prompt) {
  const std::vector<Price>& prices = shipped_prices();
  const auto first = std::partition_point(prices.begin(), prices.end(),
                                          [&](const Price& price) { return name.compared_to(price.model) > 0; });
  const Price* found = nullptr;
  for (auto price = first; price != prices.end() && name.compared_to(price->model) == 0; ++price) {
    if (price->above == 0 || prompt > price->above) found = &*price;
  }
  return found;
}

bool names(const Price& price, std::string_view provider, std::string_view model) {
  if (text::glob_matches(price.model, model)) return true;
  if (price.model.find('/') == std::string::npos) return false;
  return text::glob_matches(price.model, std::string(provider).append("/").append(model));
}

}  // namespace

std::vector<Price> sorted_prices(std::vector<Price> prices) {
  std::sort(prices.begin(), prices.end(),
            [](const Price& a, const Price& b) { return std::tie(a.model, a.above) < std::tie(b.model, b.above); });
  return prices;
}

PriceTable::PriceTable(std::vector<Price> overrides) : overrides_(std::move(overrides)) {}

const Price* PriceTable::find(std::string_view provider, std::string_view model, std::uint64_t prompt) const {
  for (const Price& price : overrides_) {
    if ((price.above == 0 || prompt > price.above) && names(price, provider, model)) return &price;
  }
  // Gemini's own listing writes models/gemini-2.5-pro.
  if (model.starts_with("models/")) model.remove_prefix(7);
  for (; !model.empty(); model = without_version(model)) {
    if (const Price* price = find_shipped({provider, model}, prompt)) return price;
    if (const Price* price = find_shipped({{}, model}, prompt)) return price;
  }
  return nullptr;
}

std::optional<double> PriceTable::cost(std::string_view provider, std::string_view model, const Usage& usage) const {
  const Price* price = usage.known ? find(provider, model, usage.prompt) : nullptr;
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
