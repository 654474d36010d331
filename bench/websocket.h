#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::bench {

/// The sample handshake of RFC 6455, 1.3: client and upstream of the benchmarks always use this key.
inline constexpr std::string_view websocket_key = "dGhlIHNhbXBsZSBub25jZQ==";
inline constexpr std::string_view websocket_accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

inline constexpr unsigned char binary_frame = 0x82;
inline constexpr unsigned char close_frame = 0x88;

/// One unfragmented frame of at most 65,535 bytes; masked as a client must.
std::string websocket_frame(std::string_view payload, bool masked, unsigned char type = binary_frame);

/// Takes frames out of bytes as they come.
class FrameReader {
 public:
  void feed(std::string_view bytes) { bytes_.append(bytes); }
  /// Type byte and unmasked payload of the next complete frame; false if there is none yet.
  bool next(unsigned char& type, std::string& payload);

 private:
  std::string bytes_;
};

}  // namespace sluice::bench
