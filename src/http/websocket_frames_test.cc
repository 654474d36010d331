#include "http/websocket_frames.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::http {
namespace {

std::string frame(char first, std::size_t size, bool masked = false) {
  std::string text(1, first);
  const char mask = masked ? '\x80' : '\0';
  if (size < 126) {
    text += static_cast<char>(static_cast<char>(size) | mask);
  } else if (size < 65536) {
    text += static_cast<char>(126 | mask);
    text += {static_cast<char>(size >> 8U), static_cast<char>(size & 0xFFU)};
  } else {
    text += static_cast<char>(127 | mask);
    for (int shift = 56; shift >= 0; shift -= 8) text += static_cast<char>(size >> static_cast<unsigned>(shift));
  }
  if (masked) text += "mask";
  return text + std::string(size, '\x81');
}

TEST(WebSocketFrames, KnowsTheEndOfEachFrame) {
  for (const bool masked : {false, true}) {
    for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 65535U, 65536U, 70000U}) {
      const std::string one = frame('\x81', size, masked);
      WebSocketFrames frames;
      EXPECT_TRUE(frames.at_boundary());
      for (std::size_t at = 0; at + 1 < one.size(); ++at) {
        frames.feed(std::string_view(one).substr(at, 1));
        ASSERT_FALSE(frames.at_boundary()) << size << " at " << at;
      }
      frames.feed(std::string_view(one).substr(one.size() - 1));
      EXPECT_TRUE(frames.at_boundary()) << size;
      frames.feed(one + one + one.substr(0, one.size() - 1));
      EXPECT_FALSE(frames.at_boundary());
      EXPECT_FALSE(frames.closed());
    }
  }
}

TEST(WebSocketFrames, KnowsThatItIsClosed) {
  WebSocketFrames frames;
  frames.feed(frame('\x02', 300));
  EXPECT_FALSE(frames.closed());
  frames.feed(WebSocketFrames::going_away);
  EXPECT_TRUE(frames.closed());
  EXPECT_TRUE(frames.at_boundary());
}

}  // namespace
}  // namespace sluice::http
