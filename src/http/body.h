#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/task.h"

namespace sluice::http {

class Fields;

/// A message body that is pulled: nobody reads further than its reader asks, so a slow reader slows the whole chain.
/// One reader, one thread. Destroying it before its end tells its source that nobody wants the rest.
class Body {
 public:
  virtual ~Body() = default;
  /// The next piece, never empty until the end; an empty view is the end. The view stays valid until the next call or
  /// destruction. After an error or the end it must not be called again.
  virtual Task<Result<std::string_view>> read() = 0;
  /// Total bytes if known before reading (content-length), else nothing (chunked).
  virtual std::optional<std::uint64_t> length() const { return std::nullopt; }
  /// Trailer fields, after the end was read; null if there were none.
  virtual const Fields* trailers() const { return nullptr; }
};

/// A body that is there already.
class StringBody final : public Body {
 public:
  explicit StringBody(std::string text) : text_(std::move(text)) {}
  Task<Result<std::string_view>> read() override;
  std::optional<std::uint64_t> length() const override { return text_.size(); }

 private:
  std::string text_;
  bool given_ = false;
};

/// A body over a limit (too_large, client), naming the limit.
Error body_too_large(std::uint64_t limit);

/// Reads a body to its end into one string, or fails with too_large once it passes `limit` bytes (also when the
/// announced length already does). A null body is empty. simdjson may read up to its padding past the end: 64 bytes are
/// reserved there.
Task<Result<std::string>> read_all(Body* body, std::uint64_t limit);

}  // namespace sluice::http
