#include "http/sse.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice::http {
namespace {

using Events = std::vector<std::string>;

/// Feeds pieces that end at the given places; events as "type|data".
Events split(std::string_view text, const std::vector<std::size_t>& cuts, std::size_t* forwarded = nullptr) {
  SseSplitter splitter;
  Events events;
  std::size_t begin = 0;
  std::size_t complete = 0;
  auto take = [&](std::size_t end) {
    // A copy that dies: views must not outlive their piece.
    const std::string piece(text.substr(begin, end - begin));
    const std::size_t done = splitter.feed(piece, [&events](const SseEvent& event) {
      events.push_back(std::string(event.type) + "|" + (event.has_data ? std::string(event.data) : "-"));
    });
    if (done > 0) complete = begin + done;
    begin = end;
  };
  for (const std::size_t cut : cuts) take(cut);
  take(text.size());
  if (forwarded) *forwarded = complete;
  return events;
}

struct Sample {
  std::string_view text;
  Events events;
  std::size_t complete;  ///< bytes of complete events
};

const Sample samples[] = {
    {"data: a\n\ndata: b\n\n", {"|a", "|b"}, 18},
    {"data: a\r\n\r\ndata: b\r\n\r\n", {"|a", "|b"}, 22},
    {"data: a\r\rdata: b\r\r", {"|a", "|b"}, 18},
    {"data: a\n\r\ndata: b\r\n\n", {"|a", "|b"}, 20},
    {"\xEF\xBB\xBF"
     "data: a\n\n",
     {"|a"},
     12},
    {": ping\n\ndata: a\n\n: ping\n\n", {"|a"}, 25},
    {"event: delta\ndata: a\ndata: b\ndata:\ndata\n\n", {"delta|a\nb\n\n"}, 41},
    {"data:a\ndata:  b\n\n", {"|a\n b"}, 17},
    {"data\n\n", {"|"}, 6},
    {"id: 1\n\nretry: 5\n\nunknown: x\n\n", {"|-", "|-"}, 29},
    {"event: end\n\n", {"end|-"}, 12},
    {"\n\n\ndata: a\n\n\n", {"|a"}, 13},
    {"data: a\n", {}, 0},
    {"data: a\n\ndata: [DONE]", {"|a"}, 9},
    {"", {}, 0},
    {"data: {\"x\":\"\xE4\xBD\xA0\"}\n\n", {"|{\"x\":\"\xE4\xBD\xA0\"}"}, 19},
};

TEST(SseSplitter, FindsTheSameEventsHoweverTheBytesAreCut) {
  for (const Sample& sample : samples) {
    std::size_t complete = 0;
    EXPECT_EQ(split(sample.text, {}, &complete), sample.events) << sample.text;
    EXPECT_EQ(complete, sample.complete) << sample.text;
    for (std::size_t a = 0; a <= sample.text.size(); ++a) {
      for (std::size_t b = a; b <= sample.text.size(); ++b) {
        EXPECT_EQ(split(sample.text, {a, b}, &complete), sample.events) << sample.text << a << " " << b;
        EXPECT_EQ(complete, sample.complete) << sample.text << a << " " << b;
      }
    }
  }
}

TEST(SseSplitter, KnowsWhetherAnEventIsUnderWay) {
  SseSplitter splitter;
  auto ignore = [](const SseEvent&) {};
  EXPECT_FALSE(splitter.inside_event());
  EXPECT_EQ(splitter.feed("data: a", ignore), 0u);
  EXPECT_TRUE(splitter.inside_event());
  EXPECT_EQ(splitter.feed("\n\nda", ignore), 2u);
  EXPECT_TRUE(splitter.inside_event());
  splitter.feed("ta: b\r\n\r", ignore);
  EXPECT_FALSE(splitter.inside_event());
  EXPECT_EQ(splitter.feed("\n", ignore), 1u);
  EXPECT_FALSE(splitter.inside_event());
}

TEST(SseSplitter, ASingleDataLineIsLookedAtInPlace) {
  const std::string_view piece = "event: x\ndata: hello\nid: 1\n\n";
  SseSplitter splitter;
  splitter.feed(piece, [&piece](const SseEvent& event) { EXPECT_EQ(event.data.data(), piece.data() + 15); });
}

TEST(SseSplitter, DropsAnEventThatIsTooLarge) {
  const std::string text = "data: a\n\ndata: " + std::string(100, 'x') + "\ndata: y\n\ndata: b\n\n";
  for (const std::size_t slice : {text.size(), std::size_t{1}, std::size_t{7}}) {
    SseSplitter splitter(50);
    Events events;
    for (std::size_t at = 0; at < text.size(); at += slice) {
      splitter.feed(std::string_view(text).substr(at, slice),
                    [&events](const SseEvent& event) { events.emplace_back(event.data); });
    }
    EXPECT_EQ(events, (Events{"a", "b"})) << slice;
    EXPECT_EQ(splitter.oversized(), 1u) << slice;
  }
}

}  // namespace
}  // namespace sluice::http
