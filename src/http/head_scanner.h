#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "http/rejection.h"

namespace sluice::http {

struct HeadLimits {
  std::size_t max_bytes = std::size_t{64} * 1024;   ///< start line and fields together; of trailers likewise
  std::size_t max_fields = 128;                     ///< header fields; trailer fields likewise
  std::size_t max_target = std::size_t{16} * 1024;  ///< request target
};

/// Finds the end of a message head in bytes that come in any pieces, and refuses at once what no head may contain: bare
/// CR or LF, NUL and other control characters, folded lines, more bytes or lines than allowed. Keeps a head that comes
/// in several pieces; one that comes whole is not copied.
class HeadScanner {
 public:
  /// What an empty first line means.
  enum class Kind {
    request,  ///< one is skipped: some clients send a CRLF too much after a body
    response,
    trailers  ///< the section is empty
  };

  HeadScanner(HeadLimits limits, Kind kind);

  struct Step {
    const Rejection* rejection = nullptr;
    std::size_t consumed = 0;
    bool done = false;
    /// The head with the empty line that ends it; valid until the next call and as long as the
    /// input.
    std::string_view text;
  };
  Step feed(std::string_view input);

  /// Some byte of the head has come.
  bool started() const { return total_ > 0; }
  void reset();

 private:
  const Rejection* take(unsigned char c);
  const Rejection* end_line();
  std::size_t plain_run(std::string_view input, std::size_t from) const;

  HeadLimits limits_;
  Kind kind_;
  std::string kept_;
  std::size_t total_ = 0;  ///< bytes seen
  std::size_t lines_ = 0;  ///< lines ended, the start line included
  bool line_empty_ = true;
  bool after_cr_ = false;
  bool skipped_ = false;  ///< the tolerated CRLF before a request
  bool done_ = false;
};

}  // namespace sluice::http
