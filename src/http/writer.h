#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/fields.h"

/// Message heads and chunk frames as bytes. Heads are appended to one buffer. The framing fields (content-length,
/// transfer-encoding, connection) come from the framing given: those in `fields` are left out, as is every field that
/// could not be sent as one line (a name that is no token, a value with CR, LF, NUL or another control character).
namespace sluice::http {

struct ResponseFraming {
  std::optional<std::uint64_t> length;  ///< known length; written also for HEAD, never for 1xx and 204
  bool chunked = false;                 ///< else, without a length, the body ends with the connection
  bool head_request = false;            ///< no body follows: a length that is not known is not written
  bool keep_alive = false;              ///< false: "connection: close"
  bool old_client = false;              ///< HTTP/1.0: keeping the connection must be said
};

/// `date` is added unless `fields` has one.
void write_response_head(std::string& out, int status, const Fields& fields, const ResponseFraming& framing);

/// "101 Switching Protocols" with `fields`, whose `upgrade` is kept; "connection: upgrade" is written here.
void write_upgrade_head(std::string& out, const Fields& fields);

struct RequestFraming {
  std::optional<std::uint64_t> length;  ///< nothing and not chunked: no body is announced
  bool chunked = false;
  bool close = false;        ///< "connection: close"
  std::string_view upgrade;  ///< a protocol asked for: "connection: upgrade" and "upgrade: ..." are written
};

/// `host` is written first, in place of any in `fields`. False, and nothing is written, if the method, target or host
/// cannot be sent as they are.
bool write_request_head(std::string& out, std::string_view method, std::string_view target, std::string_view host,
                        const Fields& fields, const RequestFraming& framing);

/// The line before a chunk's data. After the data comes "\r\n".
class ChunkHead {
 public:
  explicit ChunkHead(std::size_t size);
  std::string_view text() const { return {text_.data() + begin_, text_.size() - begin_}; }

 private:
  std::array<char, 18> text_;
  std::size_t begin_;
};

/// The zero chunk, the trailers (null: none) and the end of a chunked body.
void write_last_chunk(std::string& out, const Fields* trailers = nullptr);

/// "Sun, 06 Nov 1994 08:49:37 GMT", made once a second and thread. Valid until the next call on this thread.
std::string_view http_date();

}  // namespace sluice::http
