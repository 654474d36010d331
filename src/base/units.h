#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

/// How people write times and sizes in configuration and on the command line.
namespace sluice::units {

/// "200ms", "24h", "1m30s", "1.5s": one or more numbers, each with a unit (ns, us, ms, s, m, h, d), or a bare "0".
/// Nothing if it is not that, is negative, or does not fit.
std::optional<Duration> parse_duration(std::string_view text);
/// The shortest such text that means exactly `duration`: "1m30s", "0s".
std::string format_duration(Duration duration);

/// "64KiB", "32MiB", "1GiB", "1kB", "10MB", "512B" or a bare number of bytes. Ki and Mi are powers of 1024, k and M of
/// 1000.
std::optional<std::uint64_t> parse_size(std::string_view text);
/// The largest binary unit that divides it: "64KiB", "1000B".
std::string format_size(std::uint64_t bytes);

}  // namespace sluice::units
