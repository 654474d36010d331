#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/config.h"

namespace sluice {

/// Where `${NAME}` is looked up.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;
/// The process's own variables. Not safe beside setenv on another thread.
Environment process_environment();

/// One thing that is wrong with a configuration. Lines and columns count from 1; 0: the problem has no place in the
/// file.
struct Problem {
  std::string file;
  int line = 0;
  int column = 0;
  std::string field;  ///< path, like "providers.openai.timeouts.connect"; empty for the file itself
  std::string text;   ///< what is wrong, and the remedy; never a secret

  /// `file:line:column: field: text`
  std::string to_string() const;
};

/// A configuration, or everything that is wrong with it (then never empty, in the order of the file).
struct LoadedConfig {
  std::optional<Config> config;
  std::vector<Problem> problems;

  explicit operator bool() const { return config.has_value(); }
};

/// None of these throws, whatever the file holds.
LoadedConfig load_config_file(const std::string& path, const Environment& environment);
/// `filename` is only for problems.
LoadedConfig load_config_text(std::string_view text, const std::string& filename, const Environment& environment);
/// The configuration without a file: every provider whose usual key is in the environment, and the mock provider
/// `demo`.
Config config_from_environment(const Environment& environment);

/// The effective configuration with every default filled in and every secret redacted, as a file would spell it, in
/// JSON.
std::string effective_json(const Config& config);

/// The JSON Schema of the file, for editors.
std::string config_json_schema();
/// The reference page, docs/configuration.md.
std::string config_reference();

}  // namespace sluice
