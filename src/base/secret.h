#pragma once

#include <fmt/format.h>

#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace sluice {

/// A text that must not be seen: every way of printing it gives `***`. Whoever needs the text says so with `reveal`.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}

  const std::string& reveal() const { return text_; }
  bool empty() const { return text_.empty(); }
  bool operator==(const Secret&) const = default;

  static constexpr std::string_view redacted = "***";

 private:
  std::string text_;
};

inline std::ostream& operator<<(std::ostream& out, const Secret&) { return out << Secret::redacted; }

}  // namespace sluice

template <>
struct fmt::formatter<sluice::Secret> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(const sluice::Secret&, Context& context) const {
    return fmt::formatter<std::string_view>::format(sluice::Secret::redacted, context);
  }
};
