#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::http {

/// Follows the frames of one direction of a WebSocket (RFC 6455 5.2) as their bytes pass, without touching them: only
/// to know where one ends and another may be put in.
class WebSocketFrames {
 public:
  void feed(std::string_view bytes);
  /// All frames that began have ended.
  bool at_boundary() const { return header_seen_ == 0 && payload_left_ == 0; }
  /// A close frame has passed: nothing may follow it.
  bool closed() const { return closed_; }

  /// An unmasked close frame with the status 1001, "going away": what a server sends when it shuts down.
  static constexpr std::string_view going_away{"\x88\x02\x03\xE9", 4};

 private:
  void take_header_byte(std::uint8_t byte);

  std::uint8_t header_seen_ = 0;  ///< bytes of the header under way
  std::uint8_t header_size_ = 2;
  std::uint8_t length_bytes_ = 0;
  bool closed_ = false;
  std::uint64_t payload_left_ = 0;
};

}  // namespace sluice::http
