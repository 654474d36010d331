#include "gateway/config/config.h"

#include <algorithm>

namespace sluice {

namespace {

template <class T>
const T* find_named(const std::vector<T>& items, std::string_view name) {
  const auto found = std::ranges::find(items, name, &T::name);
  return found == items.end() ? nullptr : &*found;
}

}  // namespace

const ProviderConfig* Config::find_provider(std::string_view name) const { return find_named(providers, name); }
const ModelConfig* Config::find_model(std::string_view name) const { return find_named(models, name); }

}  // namespace sluice
