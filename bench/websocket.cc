#include "websocket.h"

#include <array>

namespace sluice::bench {
namespace {

constexpr std::array<char, 4> mask = {0x37, 0x5a, 0x21, 0x6d};

unsigned char byte_at(std::string_view bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

}  // namespace

std::string websocket_frame(std::string_view payload, bool masked, unsigned char type) {
  const char mask_bit = masked ? '\x80' : '\0';
  std::string frame(1, static_cast<char>(type));
  if (payload.size() < 126) {
    frame += static_cast<char>(mask_bit | static_cast<char>(payload.size()));
  } else {
    frame += static_cast<char>(mask_bit | 126);
    frame += static_cast<char>(payload.size() >> 8U);
    frame += static_cast<char>(payload.size() & 0xffU);
  }
  if (masked) frame.append(mask.data(), mask.size());
  for (std::size_t i = 0; i < payload.size(); ++i)
    frame += static_cast<char>(masked ? payload[i] ^ mask[i % 4] : payload[i]);
  return frame;
}

bool FrameReader::next(unsigned char& type, std::string& payload) {
  if (bytes_.size() < 2) return false;
  const bool masked = (byte_at(bytes_, 1) & 0x80U) != 0;
  std::size_t size = byte_at(bytes_, 1) & 0x7fU;
  std::size_t at = 2;
  if (size == 126) {
    if (bytes_.size() < 4) return false;
    size = byte_at(bytes_, 2) * 256U + byte_at(bytes_, 3);
    at = 4;
  }
  const std::size_t key = at;
  if (masked) at += 4;
  if (bytes_.size() < at + size) return false;
  type = byte_at(bytes_, 0);
  payload = bytes_.substr(at, size);
  for (std::size_t i = 0; masked && i < size; ++i) payload[i] = static_cast<char>(payload[i] ^ bytes_[key + i % 4]);
  bytes_.erase(0, at + size);
  return true;
}

}  // namespace sluice::bench
