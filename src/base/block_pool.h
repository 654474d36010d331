#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace sluice {

/// Fixed-size I/O buffers from a free list of the calling thread, so that a stream owns one only while bytes are in its
/// hands. 64 readable bytes follow the usable size: simdjson may look past the end of a text but never past the tail.
inline constexpr std::size_t block_size = 16 * 1024;
inline constexpr std::size_t block_tail = 64;

/// Move-only. Must be released on the thread that acquired it (workers never pass blocks on).
class Block {
 public:
  Block() = default;
  static Block acquire();

  explicit operator bool() const { return data_ != nullptr; }
  char* data() const { return data_.get(); }
  static constexpr std::size_t size() { return block_size; }
  std::span<char> span() const { return {data_.get(), block_size}; }
  void release() { data_.reset(); }

 private:
  struct Recycle {
    void operator()(char* data) const noexcept;
  };
  std::unique_ptr<char, Recycle> data_;
};

}  // namespace sluice
