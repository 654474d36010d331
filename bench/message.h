#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::bench {

/// Reads HTTP/1.1 messages out of bytes as they come, requests and responses alike. Trusts its peer: only for
/// benchmarks.
class MessageReader {
 public:
  enum class Piece {
    more,    ///< all input is used
    head,    ///< head() is complete
    body,    ///< `piece` is a run of body bytes
    end,     ///< the message is complete; the next piece belongs to the next message
    broken,  ///< this is not HTTP
  };

  /// Takes the next piece off the front of `input`.
  Piece next(std::string_view& input, std::string_view& piece);

  /// Start line and fields, until the next message begins; the names in lower case.
  std::string_view head() const { return head_; }
  int status() const;
  /// Value of a field of this head, trimmed; empty if missing. The name in lower case.
  std::string_view field(std::string_view name) const;
  bool is_upgrade() const { return status() == 101; }

 private:
  enum class State { head, length, chunk_size, chunk, chunk_end, trailer, ended };
  Piece read_head(std::string_view& input);
  Piece read_body(std::string_view& input, std::string_view& piece);
  bool read_framing(std::string_view& input);
  bool take_line(std::string_view& input);
  void begin_body();

  State state_ = State::head;
  bool fresh_ = false;  ///< head_ is that of the message before
  std::string head_;
  std::string line_;
  std::uint64_t left_ = 0;  ///< of the body, or of the chunk
};

/// The whole number after `"name":` in a JSON text, or `otherwise`; for the query string, after `name=`.
std::int64_t number_in(std::string_view text, std::string_view name, std::int64_t otherwise);

/// Appends `bytes` as one chunk of the chunked coding.
void append_chunk(std::string& out, std::string_view bytes);

}  // namespace sluice::bench
