#include "base/units.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "base/text.h"

namespace sluice::units {

namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<Unit, 7> duration_units{{{"d", 86'400'000'000'000},
                                              {"h", 3'600'000'000'000},
                                              {"m", 60'000'000'000},
                                              {"s", 1'000'000'000},
                                              {"ms", 1'000'000},
                                              {"us", 1'000},
                                              {"ns", 1}}};

constexpr std::array<Unit, 8> size_units{{{"B", 1},
                                          {"KiB", 1ULL << 10},
                                          {"MiB", 1ULL << 20},
                                          {"GiB", 1ULL << 30},
                                          {"TiB", 1ULL << 40},
                                          {"kB", 1'000},
                                          {"MB", 1'000'000},
                                          {"GB", 1'000'000'000}}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

template <std::size_t N>
const Unit* find_unit(const std::array<Unit, N>& units, std::string_view name) {
  for (const Unit& unit : units) {
    if (text::equal_ignoring_case(unit.name, name)) return &unit;
  }
  return nullptr;
}

// Takes the leading run of characters that `belongs` accepts off `text`.
template <class Predicate>
std::string_view take(std::string_view& text, Predicate belongs) {
  std::size_t length = 0;
  while (length < text.size() && belongs(text[length])) ++length;
  const std::string_view taken = text.substr(0, length);
  text.remove_prefix(length);
  return taken;
}

std::string_view take_number(std::string_view& text) {
  return take(text, [](char c) { return is_digit(c) || c == '.'; });
}

// `number` times `factor`, rounded; nothing if it is no plain decimal number or passes `limit`.
std::optional<std::uint64_t> scaled(std::string_view number, std::uint64_t factor, std::uint64_t limit) {
  if (number.empty() || !is_digit(number.front()) || !is_digit(number.back())) return std::nullopt;
  const char* const end = number.data() + number.size();
  std::uint64_t whole = 0;
  if (const auto [stop, error] = std::from_chars(number.data(), end, whole); stop == end) {
    if (error != std::errc() || whole > limit / factor) return std::nullopt;
    return whole * factor;
  }
  double value = 0;
  const auto [stop, error] = std::from_chars(number.data(), end, value, std::chars_format::fixed);
  const double result = std::round(value * static_cast<double>(factor));
  if (error != std::errc() || stop != end || result >= static_cast<double>(limit)) return std::nullopt;
  return static_cast<std::uint64_t>(result);
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration::zero();
  const std::uint64_t limit = static_cast<std::uint64_t>(Duration::max().count());
  std::uint64_t total = 0;
  do {
    const std::string_view number = take_number(text);
    const std::string_view name = take(text, [](char c) { return !is_digit(c); });
    const Unit* const unit = find_unit(duration_units, name);
    if (unit == nullptr) return std::nullopt;
    const auto part = scaled(number, unit->factor, limit - total);
    if (!part) return std::nullopt;
    total += *part;
  } while (!text.empty());
  return Duration(static_cast<Duration::rep>(total));
}

std::string format_duration(Duration duration) {
  std::string result;
  auto rest = static_cast<std::uint64_t>(duration.count());
  for (const Unit& unit : duration_units) {
    // A day is written in hours unless it comes out even: "24h" and "1d" mean the same, people expect the first.
    if (unit.name == "d" || rest < unit.factor) continue;
    result += fmt::format("{}{}", rest / unit.factor, unit.name);
    rest %= unit.factor;
  }
  return result.empty() ? "0s" : result;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const std::string_view number = take_number(text);
  const std::string_view name = text::trim(text);
  const Unit* const unit = name.empty() ? &size_units[0] : find_unit(size_units, name);
  if (unit == nullptr) return std::nullopt;
  return scaled(number, unit->factor, INT64_MAX);
}

std::string format_size(std::uint64_t bytes) {
  for (std::size_t i = 4; i > 0; --i) {
    if (bytes != 0 && bytes % size_units[i].factor == 0) {
      return fmt::format("{}{}", bytes / size_units[i].factor, size_units[i].name);
    }
  }
  return fmt::format("{}B", bytes);
}

}  // namespace sluice::units
