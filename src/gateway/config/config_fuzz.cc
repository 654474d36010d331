// Whatever a file holds, loading it neither throws nor crashes, explains every refusal, and what it accepts can be
// shown and read again.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "gateway/config/load.h"

namespace {

std::optional<std::string> environment(std::string_view name) {
  if (name == "KEY") return "fuzz-secret-4711";
  return name == "EMPTY" ? std::optional<std::string>("") : std::nullopt;
}

void require(bool condition) {
  if (!condition) std::abort();
}

bool leaks(std::string_view text) { return text.find("fuzz-secret-4711") != std::string_view::npos; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // The fuzzer learns the secret from comparisons and writes it out: then nothing is to be kept.
  if (leaks(text)) return 0;
  const sluice::LoadedConfig loaded = sluice::load_config_text(text, "fuzz.yaml", environment);
  require(loaded.config.has_value() == loaded.problems.empty());
  for (const sluice::Problem& problem : loaded.problems) {
    require(!problem.text.empty() && !leaks(problem.to_string()));
  }
  if (!loaded) return 0;

  const std::string shown = sluice::effective_json(*loaded.config);
  const sluice::LoadedConfig again = sluice::load_config_text(shown, "shown.json", environment);
  if (again) require(sluice::effective_json(*again.config) == shown);
  return 0;
}
