#include "llm/event_bounds.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice::llm {
namespace {

/// The events of a stream that comes in `pieces`, each up to its end; what is left after the last end comes last.
std::vector<std::string> events_of(const std::vector<std::string>& pieces) {
  EventBounds bounds;
  std::vector<std::string> events(1);
  for (const std::string& piece : pieces) {
    std::size_t begin = 0;
    for (auto end = bounds.next_end(piece, 0); end != EventBounds::none; end = bounds.next_end(piece, end)) {
      events.back() += piece.substr(begin, end - begin);
      events.emplace_back();
      begin = end;
    }
    events.back() += piece.substr(begin);
  }
  return events;
}

std::vector<std::string> events_of(const std::string& text) { return events_of(std::vector<std::string>{text}); }

std::string joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) all += part;
  return all;
}

/// Without line ends: where a CRLF is cut in two, its LF comes with the next event.
std::vector<std::string> contents(std::vector<std::string> events) {
  for (std::string& event : events) std::erase_if(event, [](char c) { return c == '\r' || c == '\n'; });
  return events;
}

using Strings = std::vector<std::string>;

TEST(EventBounds, ABlankLineEndsAnEvent) {
  EXPECT_EQ(events_of("data: a\n\ndata: b\n\n"), (Strings{"data: a\n\n", "data: b\n\n", ""}));
  EXPECT_EQ(events_of("event: x\ndata: a\n\n"), (Strings{"event: x\ndata: a\n\n", ""}));
  EXPECT_EQ(events_of(": keep-alive\n\ndata"), (Strings{": keep-alive\n\n", "data"}));
  EXPECT_EQ(events_of(""), (Strings{""}));
}

TEST(EventBounds, LinesEndInLfCrOrCrlf) {
  EXPECT_EQ(events_of("data: a\r\n\r\ndata: b\r\n\r\n"), (Strings{"data: a\r\n\r\n", "data: b\r\n\r\n", ""}));
  EXPECT_EQ(events_of("data: a\r\rdata: b\r\r"), (Strings{"data: a\r\r", "data: b\r\r", ""}));
  EXPECT_EQ(events_of("data: a\r\n\ndata: b\n\r\n"), (Strings{"data: a\r\n\n", "data: b\n\r\n", ""}));
  EXPECT_EQ(events_of("data: a\n\rdata: b"), (Strings{"data: a\n\r", "data: b"}));
}

TEST(EventBounds, ACrlfAloneEndsALineAndNoEvent) {
  EXPECT_EQ(events_of("data: a\r\ndata: b\r\n"), (Strings{"data: a\r\ndata: b\r\n"}));
}

TEST(EventBounds, FurtherBlankLinesAreEventsOfNothing) {
  EXPECT_EQ(events_of("data: a\n\n\n\n"), (Strings{"data: a\n\n", "\n", "\n", ""}));
  EXPECT_EQ(events_of("\n\ndata: a\n\n"), (Strings{"\n", "\n", "data: a\n\n", ""}));
}

TEST(EventBounds, KnowsWhetherItStandsBetweenEvents) {
  EventBounds bounds;
  EXPECT_TRUE(bounds.at_boundary());
  EXPECT_EQ(bounds.next_end("data: a", 0), EventBounds::none);
  EXPECT_FALSE(bounds.at_boundary());
  EXPECT_EQ(bounds.next_end("\n", 0), EventBounds::none);
  EXPECT_FALSE(bounds.at_boundary());
  EXPECT_EQ(bounds.next_end("\nd", 0), 1u);
  EXPECT_TRUE(bounds.at_boundary());
  EXPECT_EQ(bounds.next_end("\nd", 1), EventBounds::none);
  EXPECT_FALSE(bounds.at_boundary());
}

TEST(EventBounds, TheLfOfACutCrlfEndsNothing) {
  EventBounds bounds;
  EXPECT_EQ(bounds.next_end("data: a\r\n\r", 0), 10u);
  EXPECT_EQ(bounds.next_end("\n", 0), EventBounds::none);
  EXPECT_TRUE(bounds.at_boundary());
  EXPECT_EQ(bounds.next_end("data: b\r", 0), EventBounds::none);
  EXPECT_EQ(bounds.next_end("\n", 0), EventBounds::none);
  EXPECT_EQ(bounds.next_end("\r\n", 0), 2u);
}

TEST(EventBounds, EveryCutFindsTheSameEvents) {
  for (const std::string line_end : {"\n", "\r", "\r\n"}) {
    const std::string text = "data: one" + line_end + line_end + ": c" + line_end + line_end + "event: e" + line_end +
                             "data: two" + line_end + line_end + line_end + "data: tail";
    const Strings whole = contents(events_of(text));
    for (std::size_t first = 0; first <= text.size(); ++first) {
      for (std::size_t second = first; second <= text.size(); ++second) {
        const Strings pieces{text.substr(0, first), text.substr(first, second - first), text.substr(second)};
        const Strings events = events_of(pieces);
        ASSERT_EQ(contents(events), whole) << "cut at " << first << " and " << second;
        ASSERT_EQ(joined(events), text);
      }
    }
  }
}

TEST(EventBounds, SingleBytesFindTheSameEvents) {
  const std::string text = "data: a\r\n\r\ndata: b\n\ndata: c\r\r\n\ndata: d\r\n\n";
  Strings bytes;
  for (const char c : text) bytes.emplace_back(1, c);
  EXPECT_EQ(contents(events_of(bytes)), contents(events_of(text)));
}

}  // namespace
}  // namespace sluice::llm
