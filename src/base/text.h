#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

/// Small ASCII text helpers. Nothing here knows about locales; Unicode work has its own header.
namespace sluice::text {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool equal_ignoring_case(std::string_view a, std::string_view b);
std::string to_lower(std::string_view text);
/// Without leading and trailing spaces and tabs.
std::string_view trim(std::string_view text);

/// Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`, without case.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The known name nearest to `name`, or empty when none is near enough to be what was meant (a third of its length).
std::string_view nearest(std::string_view name, std::span<const std::string_view> known);

}  // namespace sluice::text
