#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "http/fields.h"
#include "http/rejection.h"

namespace sluice::http {

/// What the fields that frame a message say. Views point into the Fields they came with.
struct HeadFacts {
  std::string_view content_length;
  std::string_view transfer_encoding;
  std::string_view host;
  std::string_view upgrade;
  std::string_view expect;
  int content_lengths = 0;  ///< how many such fields there are
  int transfer_encodings = 0;
  int hosts = 0;
  bool close = false;  ///< listed in Connection
  bool keep_alive = false;
  bool connection_upgrade = false;
};

/// Splits header lines, each with its CRLF, up to and including the empty line, and adds them to `into`. REQUIRES:
/// checked by a HeadScanner. Null on success.
const Rejection* parse_fields(std::string_view lines, Fields& into, HeadFacts& facts);

/// How the body is delimited, as far as the fields say: chunked, a length, or neither. Null on success.
struct FieldFraming {
  bool chunked = false;
  std::optional<std::uint64_t> length;
};
const Rejection* framing_of(const HeadFacts& facts, FieldFraming& framing);

/// Whether a field of that name may not come in a trailer section: framing, routing, credentials, content format.
bool forbidden_in_trailers(std::string_view name);

}  // namespace sluice::http
