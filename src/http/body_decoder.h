#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "http/chunked.h"
#include "http/fields.h"
#include "http/rejection.h"

namespace sluice::http {

/// What a parser has found in the bytes it was fed.
struct ParseStep {
  enum class State { need_more, head, body, end };
  State state = State::need_more;
  std::size_t consumed = 0;
  std::string_view body;  ///< into the input; not empty with `body`, empty otherwise
};

/// Where a message's body ends.
class BodyDecoder {
 public:
  explicit BodyDecoder(HeadLimits limits) : chunks_(limits) {}

  void set_none();
  void set_length(std::uint64_t length);
  void set_chunked();
  void set_until_close();

  /// Null on success.
  const Rejection* feed(std::string_view input, ParseStep& step);

  std::optional<std::uint64_t> content_length() const;
  bool chunked() const { return kind_ == Kind::chunked; }
  bool until_close() const { return kind_ == Kind::until_close; }
  bool has_body() const { return kind_ != Kind::length || length_ > 0; }
  const Fields& trailers() const { return chunks_.trailers(); }

 private:
  enum class Kind : std::uint8_t { length, chunked, until_close };
  Kind kind_ = Kind::length;
  bool announced_ = false;  ///< a length was given
  std::uint64_t length_ = 0;
  std::uint64_t left_ = 0;
  ChunkedDecoder chunks_;
};

}  // namespace sluice::http
