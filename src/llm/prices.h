#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llm/usage.h"

namespace sluice::llm {

/// US dollars per million tokens. What is not given costs as its nearest kind does.
struct Price {
  std::string model;  ///< glob on the provider's name of the model, or on provider/model if it holds a slash
  double input = 0;
  double output = 0;
  std::optional<double> cached_input;  ///< prompt tokens read from the provider's cache; nothing: as `input`
  std::optional<double> cache_write;   ///< prompt tokens written to it; nothing: as `input`
  std::optional<double> audio_input;
  std::optional<double> audio_output;
};

/// What tokens cost. Overrides are asked first, then the shipped table (list prices, see prices_data.cc for their
/// date). Immutable; any thread.
class PriceTable {
 public:
  explicit PriceTable(std::vector<Price> overrides = {});

  /// Null if the price is not known. `provider` is the type or the configured name.
  const Price* find(std::string_view provider, std::string_view model) const;
  /// Nothing if the price or the usage is not known: unknown is not zero.
  std::optional<double> cost(std::string_view provider, std::string_view model, const Usage& usage) const;

 private:
  std::vector<Price> prices_;
};

/// The shipped list prices, most specific first.
const std::vector<Price>& shipped_prices();

}  // namespace sluice::llm
