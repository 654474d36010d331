#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace sluice {

/// Grows only, frees all at once: the texts of one message's head live here, without an allocation per field. Views
/// stay valid until the arena is destroyed or cleared, also when the arena itself is moved.
class Arena {
 public:
  Arena() = default;
  Arena(Arena&&) noexcept = default;
  Arena& operator=(Arena&&) noexcept = default;

  std::string_view copy(std::string_view text) {
    if (text.empty()) return {};
    char* to = reserve(text.size());
    std::memcpy(to, text.data(), text.size());
    return {to, text.size()};
  }
  char* reserve(std::size_t size) {
    if (size > left_) grow(size);
    char* result = next_;
    next_ += size;
    left_ -= size;
    return result;
  }
  void clear() {
    blocks_.clear();
    next_ = nullptr;
    left_ = 0;
  }

 private:
  static constexpr std::size_t first_block = 1024;  // most message heads

  void grow(std::size_t size) {
    const std::size_t block = std::max(size, first_block << std::min<std::size_t>(blocks_.size(), 6));
    blocks_.push_back(std::unique_ptr<char[]>(new char[block]));
    next_ = blocks_.back().get();
    left_ = block;
  }

  std::vector<std::unique_ptr<char[]>> blocks_;
  char* next_ = nullptr;
  std::size_t left_ = 0;
};

}  // namespace sluice
