#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

/// For fuzz targets: bytes of the input decide how the rest of it is cut.
namespace sluice::http::testing {

class Slices {
 public:
  /// Takes the first bytes of `input` for itself; what is left is the message.
  explicit Slices(std::string_view& input) {
    const std::size_t taken = input.size() < sizes ? input.size() : sizes;
    plan_ = input.substr(0, taken);
    input.remove_prefix(taken);
  }

  /// The size of the next piece, at least 1 and at most `left`.
  std::size_t next(std::size_t left) {
    if (plan_.empty()) return left;
    const std::size_t size = 1 + static_cast<unsigned char>(plan_[at_++ % plan_.size()]) % 32;
    return size < left ? size : left;
  }

 private:
  static constexpr std::size_t sizes = 4;
  std::string_view plan_;
  std::size_t at_ = 0;
};

inline void require(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace sluice::http::testing
