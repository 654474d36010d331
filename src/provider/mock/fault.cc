#include "provider/mock/fault.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>

#include "base/text.h"
#include "base/units.h"
#include "provider/mock/randomness.h"

namespace sluice::mock {
namespace {

using Kind = Fault::Kind;

enum class Takes : std::uint8_t { nothing, count, duration, status };

struct Spelling {
  std::string_view name;
  Kind kind;
  Takes takes;
};

constexpr std::array<Spelling, 12> spellings{{
    {"status", Kind::status, Takes::status},
    {"reset", Kind::reset, Takes::nothing},
    {"reset-after", Kind::reset, Takes::count},
    {"cut-after", Kind::cut, Takes::count},
    {"stall-after", Kind::stall, Takes::count},
    {"truncate-after", Kind::truncate, Takes::count},
    {"malformed-after", Kind::malformed, Takes::count},
    {"error-event-after", Kind::error_event, Takes::count},
    {"slow-headers", Kind::slow_headers, Takes::duration},
    {"no-done", Kind::no_done, Takes::nothing},
    {"empty", Kind::empty, Takes::nothing},
    {"none", Kind::none, Takes::nothing},
}};

std::optional<std::uint64_t> parse_count(std::string_view text) {
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return count;
}

/// "503" or "429;retry-after=2".
bool read_status(std::string_view value, Fault& fault) {
  constexpr std::string_view retry = "retry-after=";
  const std::size_t semicolon = value.find(';');
  const auto status = parse_count(text::trim(value.substr(0, semicolon)));
  if (!status || *status < 400 || *status > 599) return false;
  fault.status = static_cast<int>(*status);
  if (semicolon == std::string_view::npos) return true;
  const std::string_view rest = text::trim(value.substr(semicolon + 1));
  if (!rest.starts_with(retry)) return false;
  const auto seconds = parse_count(rest.substr(retry.size()));
  fault.retry_after = seconds.value_or(0);
  return seconds.has_value();
}

bool read_value(Takes takes, std::string_view value, Fault& fault) {
  switch (takes) {
    case Takes::nothing:
      return value.empty();
    case Takes::status:
      return read_status(value, fault);
    case Takes::count: {
      const auto count = parse_count(value);
      fault.after = count.value_or(0);
      return count.has_value();
    }
    case Takes::duration: {
      const auto wait = units::parse_duration(value);
      fault.wait = wait.value_or(Duration::zero());
      return wait.has_value();
    }
  }
  return false;
}

}  // namespace

Checked<Fault> parse_fault(std::string_view text) {
  text = text::trim(text);
  const std::size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  const std::string_view value = equals == std::string_view::npos ? std::string_view() : text.substr(equals + 1);
  for (const Spelling& spelling : spellings) {
    if (spelling.name != name) continue;
    Fault fault{spelling.kind};
    if (read_value(spelling.takes, value, fault)) return fault;
    return complain(fmt::format("The mock fault '{}' has an unusable value.", name), "x-mock-fault");
  }
  return complain(fmt::format("There is no mock fault '{}'.", name), "x-mock-fault");
}

Fault choose_fault(std::span<const Fault> faults, double rate, std::uint64_t seed, std::uint64_t number) {
  if (faults.empty() || rate <= 0) return {};
  Randomness random(seed + number * 0x9E3779B97F4A7C15U);
  if (random.unit() >= rate) return {};
  return faults[random.below(faults.size())];
}

}  // namespace sluice::mock
