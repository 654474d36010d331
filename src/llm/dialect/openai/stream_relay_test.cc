#include "llm/dialect/openai/stream_relay.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

namespace sluice::llm::openai {
namespace {

namespace fs = std::filesystem;
using End = StreamRelay::End;
using Options = StreamRelay::Options;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

fs::path samples() { return fs::path(SLUICE_SOURCE_DIR) / "tests/corpus/stream_relay"; }

std::string sample(std::string_view name) {
  std::ifstream file(samples() / name, std::ios::binary);
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

/// What a whole stream comes to.
struct Passed {
  std::string text;  ///< with what is held at the end
  End end = End::truncated;
  Usage usage;
  bool content = false;
  std::size_t malformed = 0;
};

template <class NextSize>
Passed pass(std::string_view stream, Options options, NextSize next_size) {
  StreamRelay relay(options);
  Passed passed;
  while (!stream.empty()) {
    const std::size_t size = std::min<std::size_t>(next_size(), stream.size());
    // A copy of its own: what the relay keeps of it must be a copy too.
    const std::string piece(stream.substr(0, size));
    passed.text += relay.feed(piece);
    stream.remove_prefix(size);
  }
  passed.end = relay.finish();
  passed.text += relay.rest();
  passed.usage = relay.usage(1000);
  passed.content = relay.content_seen();
  passed.malformed = relay.malformed();
  return passed;
}

Passed pass(std::string_view stream, Options options = {}) {
  return pass(stream, options, [&] { return stream.size(); });
}

void expect_same(const Passed& passed, const Passed& whole) {
  EXPECT_EQ(passed.end, whole.end);
  EXPECT_EQ(passed.usage.prompt, whole.usage.prompt);
  EXPECT_EQ(passed.usage.completion, whole.usage.completion);
  EXPECT_EQ(passed.usage.estimated, whole.usage.estimated);
  EXPECT_EQ(passed.content, whole.content);
  EXPECT_EQ(passed.malformed, whole.malformed);
}

struct Expected {
  const char* name;
  End end;
  std::uint64_t prompt = 1000;  ///< 1000: estimated
  std::uint64_t completion = 0;
  std::size_t choices = 1;
  std::size_t malformed = 0;
};

const std::vector<Expected> table{
    {"chat", End::whole, 19, 10},
    {"chat_short", End::whole, 1, 2},
    {"chat_crlf", End::whole, 19, 10},
    {"tools", End::whole, 1000, 5},
    {"two_choices", End::whole, 1000, 1, 2},
    {"one_of_two", End::truncated, 1000, 1, 2},
    {"azure", End::whole, 19, 10},
    {"deepseek", End::whole, 30, 20},
    {"parts", End::whole, 3, 5},
    {"groq", End::whole, 11, 2},
    {"empty_reasons", End::truncated, 1000, 1},
    {"completions", End::whole, 1000, 2},
    {"responses", End::whole, 37, 11},
    {"responses_short", End::whole, 3, 4},
    {"responses_cut", End::truncated, 1000, 3},
    {"responses_failed", End::whole, 1000, 3},
    {"responses_error", End::failed, 1000, 3},
    {"error", End::failed, 1000, 1},
    {"spaced", End::whole, 1, 2},
    {"no_blank", End::whole, 1000, 1},
    {"cut_in_event", End::truncated, 1000, 1, 1, 1},
    {"odd", End::truncated, 1000, 12, 1, 5},
};

TEST(StreamRelay, UnderstandsEverySampleAndPassesItUnchanged) {
  for (const Expected& expected : table) {
    SCOPED_TRACE(expected.name);
    const std::string stream = sample(expected.name);
    const Passed passed = pass(stream, {.choices = expected.choices});
    // What a broken stream held back of its last event never was an event.
    EXPECT_EQ(passed.text, stream);
    EXPECT_EQ(passed.end, expected.end);
    EXPECT_EQ(passed.usage.prompt, expected.prompt);
    EXPECT_EQ(passed.usage.completion, expected.completion);
    EXPECT_EQ(passed.usage.estimated, expected.prompt == 1000);
    EXPECT_EQ(passed.malformed, expected.malformed);
    EXPECT_EQ(passed.content, std::string_view(expected.name) != "spaced");
  }
}

TEST(StreamRelay, SingleBytesComeToTheSame) {
  for (const Expected& expected : table) {
    SCOPED_TRACE(expected.name);
    const Options options{.choices = expected.choices};
    const std::string stream = sample(expected.name);
    const Passed bytes = pass(stream, options, [] { return 1; });
    EXPECT_EQ(bytes.text, stream);
    expect_same(bytes, pass(stream, options));
  }
}

TEST(StreamRelay, RandomSlicesComeToTheSame) {
  std::mt19937 random(1);
  for (const Expected& expected : table) {
    SCOPED_TRACE(expected.name);
    const Options options{.hide_usage = true, .choices = expected.choices};
    std::string stream = sample(expected.name);
    if (stream.find('\r') != std::string::npos) continue;
    const Passed whole = pass(stream, options);
    for (int round = 0; round < 200; ++round) {
      std::uniform_int_distribution<std::size_t> size(1, 1 + round * 4);
      const Passed sliced = pass(stream, options, [&] { return size(random); });
      ASSERT_EQ(sliced.text, whole.text);
      expect_same(sliced, whole);
    }
  }
}

TEST(StreamRelay, EventsThatAreTooLongToHoldComeToTheSame) {
  std::mt19937 random(2);
  for (const Expected& expected : table) {
    if (expected.end != End::whole || expected.choices > 1) continue;
    SCOPED_TRACE(expected.name);
    const std::string stream = sample(expected.name);
    for (const std::size_t max_held : {0, 10, 100, 300}) {
      std::uniform_int_distribution<std::size_t> size(1, 64);
      const Options options{.choices = expected.choices, .max_held = max_held};
      const Passed sliced = pass(stream, options, [&] { return size(random); });
      ASSERT_EQ(sliced.text, stream);
    }
  }
}

TEST(StreamRelay, ForwardsWithoutCopyingWhileEventsAreWhole) {
  const std::string stream = sample("chat");
  StreamRelay relay;
  EXPECT_EQ(relay.feed(stream).data(), stream.data());
  EXPECT_TRUE(relay.feed({}).empty());
}

TEST(StreamRelay, ForwardsOnlyWholeEvents) {
  StreamRelay relay;
  EXPECT_EQ(relay.feed("data: {\"a\":1}\n\ndata: {\"b\""), "data: {\"a\":1}\n\n");
  EXPECT_EQ(relay.feed(":2}\n"), "");
  EXPECT_TRUE(relay.at_boundary());
  EXPECT_EQ(relay.feed("\n: comment\n\ndata"), "data: {\"b\":2}\n\n: comment\n\n");
  EXPECT_EQ(relay.rest(), "data");
}

TEST(StreamRelay, HidesOnlyTheChunkOfNothingButUsage) {
  for (const char* name : {"chat", "azure"}) {
    const std::string stream = sample(name);
    const std::size_t usage = stream.find("\"choices\":[],\"usage\":{");
    const std::size_t begin = stream.rfind("data:", usage);
    std::string without = stream;
    without.erase(begin, stream.find("\n\n", begin) + 2 - begin);
    const Passed hidden = pass(stream, {.hide_usage = true});
    EXPECT_EQ(hidden.text, without);
    EXPECT_EQ(hidden.usage.completion, 10u);
    EXPECT_FALSE(hidden.usage.estimated);
  }
  for (const char* name : {"deepseek", "parts", "groq", "responses", "tools"}) {
    EXPECT_EQ(pass(sample(name), {.hide_usage = true}).text, sample(name)) << name;
  }
}

TEST(StreamRelay, HidesTheUsageAlsoWhereItLacksItsBlankLine) {
  const Passed passed =
      pass("data: [DONE]\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":1}}", {.hide_usage = true});
  EXPECT_EQ(passed.text, "data: [DONE]\n\n");
  EXPECT_EQ(passed.usage.prompt, 1u);
}

TEST(StreamRelay, TellsWhatAllTokensAre) {
  const Usage usage = pass(sample("chat")).usage;
  EXPECT_EQ(usage.cached, 8u);
  EXPECT_EQ(usage.reasoning, 4u);
  EXPECT_TRUE(usage.known);
}

std::string long_response(std::size_t bytes) {
  const std::string usage = R"("usage":{"input_tokens":5,"output_tokens":6},"user":null,"metadata":{"k":"v"}}})";
  return "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"output\":[{\"text\":\"" +
         std::string(bytes, 'x') + "\\\"\"}]," + usage + "\n\n";
}

TEST(StreamRelay, UnderstandsTheEndOfAResponseThatIsTooLongToHold) {
  const std::string stream = long_response(300'000);
  for (const std::size_t step : {1000, 16384, 65536, 1'000'000}) {
    const Passed passed = pass(stream, {}, [step] { return step; });
    EXPECT_EQ(passed.text, stream);
    EXPECT_EQ(passed.end, End::whole);
    EXPECT_EQ(passed.usage.prompt, 5u);
    EXPECT_EQ(passed.usage.completion, 6u);
  }
}

TEST(StreamRelay, UnderstandsAnAnswerInOneLongChunk) {
  const std::string stream = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" + std::string(100'000, 'x') +
                             "\"},\"finish_reason\": \"stop\"}]}\n\n";
  const Passed passed = pass(stream, {}, [] { return 4096; });
  EXPECT_EQ(passed.text, stream);
  EXPECT_EQ(passed.end, End::whole);
  EXPECT_TRUE(passed.content);
  EXPECT_NEAR(static_cast<double>(passed.usage.completion), 25'000, 1000);
}

TEST(StreamRelay, ALongEventWithoutAnEndIsTruncated) {
  std::string stream = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" + std::string(100'000, 'x');
  EXPECT_EQ(pass(stream, {}, [] { return 4096; }).end, End::truncated);
  stream += "\"},\"finish_reason\":null}]}\n\n";
  EXPECT_EQ(pass(stream, {}, [] { return 4096; }).end, End::truncated);
}

TEST(StreamRelay, NothingMayStandInsideALongEvent) {
  StreamRelay relay({.max_held = 10});
  EXPECT_EQ(relay.feed("data: 0123456789"), "data: 0123456789");
  EXPECT_FALSE(relay.at_boundary());
  EXPECT_THAT(relay.error_event({}), StartsWith("\n\ndata: {"));
  EXPECT_EQ(relay.feed("abc"), "abc");
  EXPECT_EQ(relay.feed("d\n\ndata: {}\n\nda"), "d\n\ndata: {}\n\n");
  EXPECT_TRUE(relay.at_boundary());
  EXPECT_THAT(relay.error_event({}), StartsWith("data: {"));
}

TEST(StreamRelay, KeepsLittleOfAnEndlessEvent) {
  StreamRelay relay;
  const std::string piece(16'384, 'x');
  std::size_t passed = 0;
  for (int i = 0; i < 1000; ++i) passed += relay.feed(piece).size();
  EXPECT_GE(passed, 999 * piece.size());
  EXPECT_LE(relay.rest().size(), 64u * 1024);
}

TEST(StreamRelay, EndsInAnErrorEventThatSaysWhy) {
  const StreamRelay relay;
  const std::string event =
      relay.error_event({ErrorKind::reset, ErrorSource::upstream, Retryable::no, "The provider \"x\"\nwent away."});
  EXPECT_THAT(event, AllOf(StartsWith("data: {\"error\":{"), EndsWith("}}\n\n"), Not(HasSubstr("[DONE]"))));
  const boost::json::value body = boost::json::parse(event.substr(6));
  const boost::json::value& error = body.at("error");
  EXPECT_EQ(error.at("message").as_string(), "The provider \"x\"\nwent away.");
  EXPECT_EQ(error.at("code").as_string(), "connection_reset");
  EXPECT_EQ(error.at("type").as_string(), "server_error");
  EXPECT_TRUE(error.at("param").is_null());
}

TEST(StreamRelay, AnEmptyStreamIsTruncated) {
  EXPECT_EQ(pass("").end, End::truncated);
  EXPECT_EQ(pass(": comment\n\n").end, End::truncated);
}

TEST(StreamRelay, TextOfTheAnswerIsNeverTakenForItsStructure) {
  for (const char* text : {R"(\"finish_reason\":\"stop\")", R"(},{\"usage\":{\"prompt_tokens\":1}})", R"([DONE])",
                           R"(\"type\":\"response.completed\")", R"(\\\"usage\\\":{})", R"({\"error\":{}})"}) {
    const std::string stream = std::string("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"") + text +
                               "\"},\"finish_reason\":null}]}\n\n";
    const Passed passed = pass(stream);
    EXPECT_EQ(passed.end, End::truncated) << text;
    EXPECT_TRUE(passed.usage.estimated) << text;
  }
}

}  // namespace
}  // namespace sluice::llm::openai
