#pragma once

#include <string_view>

#include "base/text.h"

namespace sluice::text {

/// Whether all of `text` matches `pattern`, in which `*` stands for any run of characters (also none, also slashes) and
/// everything else for itself. Linear in practice, never worse than the product of both lengths.
constexpr bool glob_matches(std::string_view pattern, std::string_view text, bool ignore_case = false) {
  const auto same = [ignore_case](char a, char b) { return ignore_case ? lower(a) == lower(b) : a == b; };
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;  // the last `*` seen, and where the text it stands for began
  std::size_t retry = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = t;
    } else if (p < pattern.size() && same(pattern[p], text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

}  // namespace sluice::text
