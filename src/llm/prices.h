#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llm/usage.h"

namespace sluice::llm {

/// US dollars per million tokens. What is not given costs as its nearest kind does.
struct Price {
  /// An override: glob on the provider's name of the model, or on provider/model if it holds a slash. A shipped price:
  /// the model's name, after `provider/` if it holds for that provider alone.
  std::string model;
  double input = 0;
  double output = 0;
  std::optional<double> cached_input;  ///< prompt tokens read from the provider's cache; nothing: as `input`
  std::optional<double> cache_write;   ///< prompt tokens written to it; nothing: as `input`
  std::optional<double> audio_input;   ///< nothing: as `input`
  std::optional<double> audio_output;  ///< nothing: as `output`
  std::uint64_t above = 0;             ///< holds only for prompts of more tokens than this, and then for all of them
};

/// What tokens cost. Overrides are asked first, in their order, then the shipped table (list prices, see prices_data.cc
/// for their date). Immutable; any thread.
class PriceTable {
 public:
  explicit PriceTable(std::vector<Price> overrides = {});

  /// The price of a prompt of so many tokens; null if it is not known. `provider` is the type or the configured name.
  const Price* find(std::string_view provider, std::string_view model, std::uint64_t prompt = 0) const;
  /// Nothing if the price or the usage is not known: unknown is not zero.
  std::optional<double> cost(std::string_view provider, std::string_view model, const Usage& usage) const;

 private:
  std::vector<Price> overrides_;
};

/// The shipped list prices, as `sorted_prices` leaves them.
const std::vector<Price>& shipped_prices();

/// By name, and under one name by rising `above`.
std::vector<Price> sorted_prices(std::vector<Price> prices);

}  // namespace sluice::llm
