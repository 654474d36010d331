#pragma once

#include <string>

#include "gateway/config/config.h"

namespace sluice {

/// What a person wants to read when the gateway has started: where it listens, who answers, and a command to try.
std::string banner(const Config& config, const std::string& version);

}  // namespace sluice
