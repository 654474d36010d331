#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/fields.h"
#include "http/head_scanner.h"
#include "http/rejection.h"

namespace sluice::http {

/// The chunked transfer coding (RFC 9112 7.1) in bytes that come in any pieces. Extensions are checked for size and
/// ignored; trailer fields are kept.
class ChunkedDecoder {
 public:
  explicit ChunkedDecoder(HeadLimits limits);

  static constexpr std::size_t max_extension = 256;  ///< bytes of one chunk's extensions

  struct Step {
    const Rejection* rejection = nullptr;
    std::size_t consumed = 0;
    std::string_view data;  ///< into the input; if empty and not `end`, all of the input was consumed
    bool end = false;
  };
  Step feed(std::string_view input);

  const Fields& trailers() const { return trailers_; }
  void reset();

 private:
  enum class State : std::uint8_t {
    size_first,
    size,
    space,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailers,
    done
  };

  const Rejection* take(unsigned char c);
  const Rejection* take_size(unsigned char c);
  const Rejection* take_extension(unsigned char c);
  const Rejection* feed_trailers(std::string_view input, Step& step);

  State state_ = State::size_first;
  std::uint8_t digits_ = 0;      ///< of the size under way
  std::uint16_t extension_ = 0;  ///< bytes of its extensions and padding
  std::uint64_t left_ = 0;       ///< of the chunk under way
  HeadScanner scanner_;
  Fields trailers_;
};

}  // namespace sluice::http
