#pragma once

#include <string_view>

namespace sluice {

inline constexpr std::string_view version = "0.1.0";

}  // namespace sluice
