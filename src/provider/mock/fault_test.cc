#include "provider/mock/fault.h"

#include <gmock/gmock.h>

#include <numeric>

#include "net/running.h"
#include "provider/mock/test_client.h"

namespace sluice::mock {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view streamed = R"({"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]})";
constexpr std::string_view whole = R"({"model":"m","messages":[{"role":"user","content":"hello"}]})";

Got stream_with(MockServer& server, std::string_view fault) {
  return chat(server, std::string(streamed), {{"x-mock-fault", fault}, {"x-mock-tokens", "5"}});
}
Got whole_with(MockServer& server, std::string_view fault) {
  return chat(server, std::string(whole), {{"x-mock-fault", fault}, {"x-mock-tokens", "5"}});
}

TEST(MockFault, SpellingIsChecked) {
  const auto status = parse_fault("status=429; retry-after=7");
  ASSERT_TRUE(status);
  EXPECT_EQ(status->status, 429);
  EXPECT_EQ(status->retry_after, 7U);
  EXPECT_EQ(parse_fault("slow-headers=1.5s")->wait, std::chrono::milliseconds(1500));
  EXPECT_EQ(parse_fault("reset")->after, 0U);
  EXPECT_EQ(parse_fault("none")->kind, Fault::Kind::none);
  for (const std::string_view wrong : {"", "resett", "reset=3", "reset-after", "reset-after=x", "status=200",
                                       "status=503;x", "slow-headers=fast", "cut-after=-1"}) {
    EXPECT_FALSE(parse_fault(wrong)) << wrong;
  }
}

TEST(MockFault, WrongHeadersAreRefused) {
  MockServer server({});
  for (const auto& [name, value] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"x-mock-fault", "explode"},
           {"x-mock-tokens", "many"},
           {"x-mock-first-token", "soon"},
           {"x-mock-chunk-bytes", "-1"},
       }) {
    const Got got = chat(server, std::string(whole), {{name, value}});
    EXPECT_EQ(got.status, 400);
    EXPECT_EQ(Doc(got.text).text("/error/param"), name);
  }
}

TEST(MockFault, AnswersWithAStatus) {
  MockServer server({});
  const Got busy = whole_with(server, "status=429;retry-after=7");
  EXPECT_EQ(busy.status, 429);
  EXPECT_EQ(busy.fields.get("retry-after"), "7");
  EXPECT_EQ(Doc(busy.text).text("/error/code"), "rate_limit_exceeded");
  const Got down = stream_with(server, "status=503");
  EXPECT_EQ(down.status, 503);
  EXPECT_EQ(down.fields.get("content-type"), "application/json");
  EXPECT_EQ(down.fields.get("retry-after"), "1");
  EXPECT_EQ(whole_with(server, "status=418").status, 418);
}

TEST(MockFault, ResetsAStream) {
  MockServer server({});
  const Got got = stream_with(server, "reset-after=3");
  EXPECT_EQ(got.pieces.size(), 3U);
  ASSERT_TRUE(got.error);
  EXPECT_EQ(got.error->kind, ErrorKind::reset);
  const Got at_once = stream_with(server, "reset");
  EXPECT_THAT(at_once.pieces, IsEmpty());
  EXPECT_EQ(at_once.error->kind, ErrorKind::reset);
}

TEST(MockFault, CutsInTheMiddleOfAnEvent) {
  MockServer server({});
  const Got got = stream_with(server, "cut-after=2");
  ASSERT_TRUE(got.error);
  EXPECT_EQ(got.error->kind, ErrorKind::closed);
  EXPECT_EQ(got.events().size(), 2U);
  ASSERT_EQ(got.pieces.size(), 3U);
  EXPECT_THAT(got.pieces.back(), Not(HasSubstr("\n\n")));
}

TEST(MockFault, TruncatesInOrder) {
  MockServer server({});
  const Got got = stream_with(server, "truncate-after=4");
  EXPECT_FALSE(got.error);
  EXPECT_EQ(got.events().size(), 4U);
  EXPECT_THAT(got.text, Not(HasSubstr("[DONE]")));
}

TEST(MockFault, PutsAMalformedEventInBetween) {
  MockServer server({});
  const Got got = stream_with(server, "malformed-after=2");
  const std::vector<std::string> events = got.events();
  ASSERT_EQ(events.size(), 5U + 3U + 1U);
  EXPECT_TRUE(Doc(events[1]).valid());
  EXPECT_FALSE(Doc(events[2]).valid());
  EXPECT_TRUE(Doc(events[3]).valid());
  EXPECT_EQ(events.back(), "[DONE]");
}

TEST(MockFault, EndsWithAnErrorEvent) {
  MockServer server({});
  const Got got = stream_with(server, "error-event-after=2");
  EXPECT_FALSE(got.error);
  const std::vector<std::string> events = got.events();
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(Doc(events[2]).text("/error/type"), "server_error");
}

TEST(MockFault, LeavesTheEndMarkOut) {
  MockServer server({});
  const Got got = stream_with(server, "no-done");
  EXPECT_EQ(got.events().size(), 5U + 2U);
  EXPECT_EQ(Doc(got.events().back()).text("/choices/0/finish_reason"), "stop");
}

TEST(MockFault, SendsNothing) {
  MockServer server({});
  for (const Got& got : {stream_with(server, "empty"), whole_with(server, "empty")}) {
    EXPECT_EQ(got.status, 200);
    EXPECT_FALSE(got.error);
    EXPECT_THAT(got.text, IsEmpty());
  }
}

TEST(MockFault, StrikesWholeAnswersInTheirMiddle) {
  MockServer server({});
  const std::string good = whole_with(server, "none").text;
  const Got reset = whole_with(server, "reset-after=1");
  EXPECT_EQ(reset.length, good.size());
  EXPECT_EQ(reset.text, good.substr(0, good.size() / 2));
  EXPECT_EQ(reset.error->kind, ErrorKind::reset);
  const Got cut = whole_with(server, "cut-after=1");
  EXPECT_EQ(cut.error->kind, ErrorKind::closed);
  EXPECT_LT(cut.text.size(), good.size());
  const Got truncated = whole_with(server, "truncate-after=9");
  EXPECT_FALSE(truncated.error);
  EXPECT_FALSE(truncated.length);
  EXPECT_EQ(truncated.text, good.substr(0, good.size() / 2));
  EXPECT_FALSE(Doc(whole_with(server, "malformed-after=1").text).valid());
  EXPECT_EQ(whole_with(server, "error-event-after=1").status, 500);
}

TEST(MockFault, StallsUntilTheReaderLeaves) {
  MockServer server({});
  const auto leave = [](MockServer& mock) -> Task<void> {
    http::Response response = co_await mock.handle(
        request("POST", "/v1/chat/completions", std::string(streamed), {{"x-mock-fault", "stall-after=2"}}));
    for (int i = 0; i < 2; ++i) EXPECT_FALSE((co_await response.body->read())->empty());
    net::Running<Result<std::string_view>> stalled(response.body->read());
    const bool ended = co_await stalled.finished(Clock::now() + std::chrono::milliseconds(60));
    EXPECT_FALSE(ended);
  };
  net::run_until_done(leave(server));
  Doc stats(ask(server, request("GET", "/mock/stats")).text);
  EXPECT_EQ(stats.number("/streams"), 1);
  EXPECT_EQ(stats.number("/live_streams"), 0);
  EXPECT_EQ(stats.number("/cancelled_streams"), 1);
}

TEST(MockFault, WaitsBeforeTheHead) {
  MockServer server({});
  Task<http::Response> waiting = server.handle(
      request("POST", "/v1/chat/completions", std::string(whole), {{"x-mock-fault", "slow-headers=10m"}}));
  const auto start_and_drop = [](Task<http::Response>& task) -> Task<void> {
    task.start();
    EXPECT_FALSE(task.done());
    task.reset();
    co_return;
  };
  net::run_until_done(start_and_drop(waiting));
  EXPECT_EQ(Doc(ask(server, request("GET", "/mock/stats")).text).number("/cancelled_requests"), 1);
  EXPECT_EQ(whole_with(server, "slow-headers=1ms").status, 200);
}

TEST(MockFault, StrikesAShareOfRequestsTheSameOnesEachTime) {
  const auto statuses = [](std::uint64_t seed) {
    MockServer server({.seed = seed, .fault_rate = 0.25, .faults = {"status=500", "status=429"}});
    std::vector<int> all;
    all.reserve(400);
    for (int i = 0; i < 400; ++i) all.push_back(chat(server, std::string(whole)).status);
    return all;
  };
  const std::vector<int> first = statuses(1);
  EXPECT_EQ(first, statuses(1));
  EXPECT_NE(first, statuses(2));
  const auto struck = 400 - std::ranges::count(first, 200);
  EXPECT_GT(struck, 60);
  EXPECT_LT(struck, 140);
  EXPECT_GT(std::ranges::count(first, 429), 0);
  EXPECT_GT(std::ranges::count(first, 500), 0);
  EXPECT_THROW(MockServer({.faults = {"explode"}}), std::invalid_argument);
}

TEST(MockPace, WaitsBeforeAndBetweenTokens) {
  // What waits can be seen without a clock: with a pause the event is not there at once.
  MockServer server({.first_token = std::chrono::milliseconds(2), .between_tokens = std::chrono::milliseconds(1)});
  const auto count_pauses = [](MockServer& mock) -> Task<void> {
    http::Response response =
        co_await mock.handle(request("POST", "/v1/chat/completions", std::string(streamed), {{"x-mock-tokens", "4"}}));
    std::string pauses;
    while (true) {
      net::Running<Result<std::string_view>> reading(response.body->read());
      pauses += reading.done() ? '.' : 'w';
      if (!reading.done()) co_await reading.finished();
      if (reading.take()->empty()) break;
    }
    // role (first token), 4 tokens with 3 pauses between them, finish, [DONE], end
    EXPECT_EQ(pauses, "w.www...");
  };
  net::run_until_done(count_pauses(server));
}

TEST(MockPace, SlicesAsSmallAsWished) {
  MockServer server({});
  const Got bytes = chat(server, std::string(streamed), {{"x-mock-chunk-bytes", "1"}});
  EXPECT_EQ(bytes.pieces.size(), bytes.text.size());
  EXPECT_EQ(bytes.text, chat(server, std::string(streamed)).text);
  const Got some = chat(server, std::string(whole), {{"x-mock-chunk-bytes", "7"}});
  EXPECT_EQ(some.text, chat(server, std::string(whole)).text);
  EXPECT_EQ(some.length, some.text.size());
  EXPECT_GT(some.pieces.size(), some.text.size() / 8);
}

}  // namespace
}  // namespace sluice::mock
