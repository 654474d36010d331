#pragma once

#include <string>

#include "gateway/config/load.h"

namespace sluice {

/// Where the configuration comes from: a file, or the environment when there is none; with what the command line
/// overrides.
struct ConfigSource {
  std::string path;    ///< empty: from the environment
  std::string listen;  ///< replaces the file's listeners unless empty
  std::string admin;   ///< replaces the file's admin address unless empty
  Environment environment;

  LoadedConfig load() const;
  bool is_file() const { return !path.empty(); }
};

}  // namespace sluice
