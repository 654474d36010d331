#include "http/websocket_frames.h"

#include <algorithm>

namespace sluice::http {
namespace {

constexpr std::uint8_t opcode_mask = 0x0F;
constexpr std::uint8_t close_opcode = 0x08;
constexpr std::uint8_t masked_bit = 0x80;
constexpr std::uint8_t mask_bytes = 4;

}  // namespace

void WebSocketFrames::take_header_byte(std::uint8_t byte) {
  if (header_seen_ == 0) {
    closed_ = closed_ || (byte & opcode_mask) == close_opcode;
  } else if (header_seen_ == 1) {
    // Seven bits of length, or 126 and 127 for two and eight bytes of it; a mask may follow.
    const std::uint8_t length = byte & 0x7F;
    length_bytes_ = length == 126 ? 2 : length == 127 ? 8 : 0;
    header_size_ = static_cast<std::uint8_t>(2 + length_bytes_ + ((byte & masked_bit) != 0 ? mask_bytes : 0));
    payload_left_ = length_bytes_ == 0 ? length : 0;
  } else if (header_seen_ < 2 + length_bytes_) {
    payload_left_ = payload_left_ << 8U | byte;
  }
  if (++header_seen_ < 2 || header_seen_ < header_size_) return;
  header_seen_ = 0;
  header_size_ = 2;
}

void WebSocketFrames::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    if (header_seen_ == 0 && payload_left_ > 0) {
      const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(payload_left_, bytes.size()));
      payload_left_ -= taken;
      bytes.remove_prefix(taken);
    } else {
      take_header_byte(static_cast<std::uint8_t>(bytes.front()));
      bytes.remove_prefix(1);
    }
  }
}

}  // namespace sluice::http
