#include "provider/reply_bodies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/worker.h"
#include "provider/scripted_body.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing_support::for_ever;
using testing_support::receive;
using testing_support::Received;
using testing_support::ScriptedBody;
using testing_support::Step;

constexpr std::string_view done = "data: [DONE]\n\n";
constexpr std::string_view usage_text = R"("usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10})";

std::string chunk(std::string_view content, std::string_view reason = "null") {
  return fmt::format(
      "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{}\"}},\"finish_reason\":{}}}]}}\n\n", content,
      reason);
}
std::string usage_chunk() { return fmt::format("data: {{\"choices\":[],{}}}\n\n", usage_text); }

Error broken() { return {ErrorKind::reset, ErrorSource::upstream, Retryable::no, "the connection was reset"}; }

/// One exchange with what its reply needs.
struct Case {
  Exchange exchange;
  llm::PriceTable prices{{{"gpt-test", 1.0, 2.0, {}, {}, {}, {}}}};
  UpstreamCall call;
  bool dropped = false;
  std::unique_ptr<http::Body> reply;
  Received received;

  Case() {
    exchange.record.upstream_model = "gpt-test";
    call.body = R"({"messages":[{"role":"user","content":"0123456789"}]})";
  }

  void stream(std::vector<Step> steps, llm::openai::StreamRelay::Options options = {}) {
    reply = std::make_unique<StreamReply>(context(), body(std::move(steps), {}), llm::openai::StreamRelay(options));
  }
  void whole(std::vector<Step> steps, std::optional<std::uint64_t> length = {}, bool count = true) {
    reply = std::make_unique<WholeReply>(context(), body(std::move(steps), length), count);
  }
  /// Reads to the end, settles, and gives what came.
  const Received& run() {
    net::run_until_done(receive(*reply, received));
    reply.reset();
    return received;
  }
  /// As `run`, and the exchange is ended from outside once `when` holds.
  const Received& run_and_cancel(testing_support::Until when) {
    const auto both = [&]() -> Task<void> {
      spawn(cancel_when(exchange, std::move(when)));
      co_await receive(*reply, received);
    };
    net::run_until_done(both());
    reply.reset();
    return received;
  }
  const ExchangeRecord& record() const { return exchange.record; }

 private:
  ReplyContext context() { return {exchange, prices, "openai", call}; }
  std::unique_ptr<http::Body> body(std::vector<Step> steps, std::optional<std::uint64_t> length) {
    return std::make_unique<ScriptedBody>(std::move(steps), &dropped, length);
  }
  static Task<void> cancel_when(Exchange& exchange, testing_support::Until when) {
    while (!when()) co_await net::sleep_for(milliseconds(1));
    exchange.cancel(ErrorKind::draining, "The gateway is shutting down.");
  }
};

/// The error that an event ends the stream with.
void expect_error_at_end(const std::string& text, std::string_view code) {
  const std::size_t last = text.rfind("data: ");
  ASSERT_NE(last, std::string::npos) << text;
  EXPECT_THAT(text.substr(last), AllOf(StartsWith("data: {\"error\":{"),
                                       HasSubstr(fmt::format("\"code\":\"{}\"", code)), testing::EndsWith("}\n\n")));
  EXPECT_THAT(text, Not(HasSubstr("[DONE]")));
}

TEST(StreamReply, ForwardsWholeEventsAsTheyCome) {
  Case setup;
  const std::string second = chunk("b");
  setup.stream({chunk("a"), second.substr(0, 9), second.substr(9) + chunk("c").substr(0, 20), chunk("c").substr(20),
                chunk("", "\"stop\""), std::string(done)});
  EXPECT_THAT(setup.run().pieces, ElementsAre(chunk("a"), second, chunk("c"), chunk("", "\"stop\""), done));
  EXPECT_EQ(setup.record().outcome, Outcome::ok);
  EXPECT_EQ(setup.record().error_code, "");
  EXPECT_NE(setup.record().first_token, TimePoint{});
  EXPECT_TRUE(setup.dropped);
}

TEST(StreamReply, NoCutChangesAByte) {
  const std::string text =
      chunk("a") + ": comment\r\n\r\n" + chunk("\xe4\xbb\x8a") + chunk("", "\"stop\"") + std::string(done);
  for (std::size_t cut = 1; cut < text.size(); ++cut) {
    Case setup;
    setup.stream({text.substr(0, cut), text.substr(cut)});
    ASSERT_EQ(setup.run().text, text) << cut;
    ASSERT_EQ(setup.record().outcome, Outcome::ok);
  }
}

TEST(StreamReply, CountsUsageAndCost) {
  Case setup;
  setup.stream({chunk("a", "\"stop\""), usage_chunk(), std::string(done)});
  EXPECT_THAT(setup.run().text, HasSubstr("usage"));
  EXPECT_TRUE(setup.record().usage.known);
  EXPECT_FALSE(setup.record().usage.estimated);
  EXPECT_EQ(setup.record().usage.prompt, 7u);
  EXPECT_EQ(setup.record().usage.completion, 3u);
  ASSERT_TRUE(setup.record().cost);
  EXPECT_DOUBLE_EQ(*setup.record().cost, 13e-6);
}

TEST(StreamReply, HidesTheUsageThatTheClientDidNotAskFor) {
  Case setup;
  setup.stream({chunk("a", "\"stop\"") + usage_chunk(), std::string(done)}, {.hide_usage = true});
  EXPECT_EQ(setup.run().text, chunk("a", "\"stop\"") + std::string(done));
  EXPECT_EQ(setup.record().usage.completion, 3u);
}

TEST(StreamReply, EstimatesWhatTheProviderDoesNotCount) {
  Case setup;
  setup.stream({chunk("abcdefgh"), chunk("", "\"stop\""), std::string(done)});
  setup.run();
  EXPECT_TRUE(setup.record().usage.estimated);
  EXPECT_GT(setup.record().usage.prompt, 0u);
  EXPECT_EQ(setup.record().usage.completion, 2u);
  EXPECT_TRUE(setup.record().cost);
}

TEST(StreamReply, AnUnknownPriceIsNotZero) {
  Case setup;
  setup.exchange.record.upstream_model = "nobody-knows";
  setup.stream({chunk("a", "\"stop\""), usage_chunk(), std::string(done)});
  setup.run();
  EXPECT_TRUE(setup.record().usage.known);
  EXPECT_FALSE(setup.record().cost);
}

TEST(StreamReply, ShowsTheTokensOfAStreamUnderWay) {
  Case setup;
  std::uint64_t seen = 0;
  const auto look = [&] {
    seen = setup.record().usage.completion;
    return true;
  };
  setup.stream({chunk("abcdefgh"), look, chunk("", "\"stop\""), std::string(done)});
  setup.run();
  EXPECT_EQ(seen, 2u);
}

TEST(StreamReply, AnUpstreamThatBreaksEndsWithAnErrorEvent) {
  Case setup;
  setup.stream({chunk("a"), chunk("b").substr(0, 12), broken()});
  const Received& received = setup.run();
  EXPECT_THAT(received.text, StartsWith(chunk("a") + "data: {\"error\""));
  expect_error_at_end(received.text, "connection_reset");
  EXPECT_FALSE(received.error);
  EXPECT_EQ(setup.record().outcome, Outcome::broken);
  EXPECT_EQ(setup.record().error_code, "connection_reset");
  EXPECT_TRUE(setup.record().usage.estimated);
  EXPECT_TRUE(setup.dropped);
}

TEST(StreamReply, AnUpstreamThatBreaksAtOnceEndsWithAnErrorEvent) {
  Case setup;
  setup.stream({broken()});
  expect_error_at_end(setup.run().text, "connection_reset");
  EXPECT_EQ(setup.record().outcome, Outcome::broken);
}

TEST(StreamReply, AStreamWithoutItsEndMarkIsTruncated) {
  for (const std::vector<Step>& steps : std::vector<std::vector<Step>>{
           {}, {chunk("a")}, {chunk("a"), chunk("b").substr(0, 30)}, {chunk("a"), std::string(": comment\n\n")}}) {
    Case setup;
    setup.stream(steps);
    expect_error_at_end(setup.run().text, "truncated");
    EXPECT_EQ(setup.record().outcome, Outcome::broken);
    EXPECT_EQ(setup.record().error_code, "truncated");
  }
}

TEST(StreamReply, AFinishReasonIsAnEndMarkToo) {
  Case setup;
  setup.stream({chunk("a"), chunk("", "\"length\"")});
  EXPECT_EQ(setup.run().text, chunk("a") + chunk("", "\"length\""));
  EXPECT_EQ(setup.record().outcome, Outcome::ok);
}

TEST(StreamReply, EveryChoiceMustFinish) {
  Case setup;
  setup.stream({chunk("a", "\"stop\"")}, {.choices = 2});
  expect_error_at_end(setup.run().text, "truncated");
}

TEST(StreamReply, AnErrorEventOfTheProviderPassesAndIsNoSuccess) {
  Case setup;
  const std::string event = "data: {\"error\":{\"message\":\"overloaded\"}}\n\n";
  setup.stream({chunk("a"), event});
  EXPECT_EQ(setup.run().text, chunk("a") + event);
  EXPECT_EQ(setup.record().outcome, Outcome::broken);
  EXPECT_EQ(setup.record().error_code, "protocol_error");
}

TEST(StreamReply, TheLastBlankLineMayBeMissing) {
  Case setup;
  setup.stream({chunk("a", "\"stop\""), std::string("data: [DONE]")});
  EXPECT_EQ(setup.run().text, chunk("a", "\"stop\"") + "data: [DONE]");
  EXPECT_EQ(setup.record().outcome, Outcome::ok);
}

TEST(StreamReply, FillsASilenceWithCommentsBetweenEvents) {
  Case setup;
  setup.exchange.route.keep_alive_comment = milliseconds(1);
  const auto comments = [&](std::uint64_t count) -> testing_support::Until {
    return [&setup, count] { return setup.record().keep_alive_comments >= count; };
  };
  const std::string half = chunk("b").substr(0, 15);
  setup.stream({comments(1), chunk("a"), comments(3), half, comments(5), chunk("b").substr(15), chunk("", "\"stop\""),
                std::string(done)});
  const Received& received = setup.run();
  std::vector<std::string> events;
  std::size_t spoken = 0;
  for (const std::string& piece : received.pieces) {
    if (piece == ": keep-alive\n\n") {
      ++spoken;
    } else {
      events.push_back(piece);
    }
  }
  EXPECT_THAT(events, ElementsAre(chunk("a"), chunk("b"), chunk("", "\"stop\""), done));
  EXPECT_EQ(received.pieces.front(), ": keep-alive\n\n");
  EXPECT_EQ(spoken, setup.record().keep_alive_comments);
  EXPECT_GE(spoken, 5u);
  EXPECT_EQ(setup.record().outcome, Outcome::ok);
}

TEST(StreamReply, NoCommentStandsInsideALongEvent) {
  Case setup;
  setup.exchange.route.keep_alive_comment = milliseconds(1);
  const std::string event = chunk(std::string(100, 'x'));
  TimePoint later = Clock::now() + milliseconds(250);
  const auto a_while = [later] { return Clock::now() > later; };
  setup.stream({event.substr(0, 60), a_while, event.substr(60), chunk("", "\"stop\""), std::string(done)},
               {.max_held = 50});
  EXPECT_THAT(setup.run().text, HasSubstr(event));
}

TEST(StreamReply, WithoutAnIntervalThereAreNoComments) {
  Case setup;
  TimePoint later = Clock::now() + milliseconds(150);
  const auto a_while = [later] { return Clock::now() > later; };
  setup.stream({a_while, chunk("a", "\"stop\""), std::string(done)});
  EXPECT_EQ(setup.run().text, chunk("a", "\"stop\"") + std::string(done));
  EXPECT_EQ(setup.record().keep_alive_comments, 0u);
}

TEST(StreamReply, EndedFromOutsideItSaysSo) {
  Case setup;
  setup.stream({chunk("a"), for_ever()});
  const auto first_came = [&] { return !setup.received.pieces.empty(); };
  const Received& received = setup.run_and_cancel(first_came);
  EXPECT_THAT(received.text, StartsWith(chunk("a")));
  expect_error_at_end(received.text, "draining");
  EXPECT_EQ(setup.record().outcome, Outcome::ended);
  EXPECT_EQ(setup.record().error_code, "draining");
  EXPECT_TRUE(setup.record().usage.estimated);
  EXPECT_TRUE(setup.dropped);
}

TEST(StreamReply, EndedInsideALongEventItsLastWordsStandApart) {
  Case setup;
  const std::string event = chunk(std::string(100, 'x'));
  setup.stream({event.substr(0, 60), for_ever()}, {.max_held = 50});
  const auto first_came = [&] { return !setup.received.pieces.empty(); };
  EXPECT_THAT(setup.run_and_cancel(first_came).text, StartsWith(event.substr(0, 60) + "\n\ndata: {\"error\""));
}

TEST(StreamReply, EndedBeforeItIsReadItSaysSo) {
  Case setup;
  setup.stream({chunk("a")});
  setup.exchange.cancel(ErrorKind::cancelled, "The operator ended this request.");
  expect_error_at_end(setup.run().text, "cancelled");
  EXPECT_EQ(setup.record().outcome, Outcome::ended);
}

TEST(StreamReply, ACancelAfterTheEndFindsNobody) {
  Case setup;
  setup.stream({chunk("a", "\"stop\""), std::string(done)});
  setup.run();
  setup.exchange.cancel(ErrorKind::cancelled, "too late");
  EXPECT_EQ(setup.record().outcome, Outcome::ok);
}

TEST(StreamReply, DroppedWhileItWaitsItIsSettled) {
  Case setup;
  setup.stream({chunk("abcdefgh"), for_ever()});
  const auto leave = [&]() -> Task<void> {
    const Result<std::string_view> first = co_await setup.reply->read();
    EXPECT_TRUE(first);
    {
      Task<Result<std::string_view>> waiting = setup.reply->read();
      waiting.start();
      co_await net::sleep_for(milliseconds(2));
      EXPECT_FALSE(waiting.done());
    }
    setup.reply.reset();
  };
  net::run_until_done(leave());
  EXPECT_TRUE(setup.dropped);
  EXPECT_TRUE(setup.record().usage.estimated);
  EXPECT_EQ(setup.record().usage.completion, 2u);
  EXPECT_TRUE(setup.record().cost);
  setup.exchange.cancel(ErrorKind::cancelled, "finds nobody");
}

TEST(StreamReply, NeverReadItIsSettled) {
  Case setup;
  setup.stream({chunk("a")});
  setup.reply.reset();
  EXPECT_TRUE(setup.record().usage.estimated);
  EXPECT_EQ(setup.record().usage.completion, 0u);
}

std::string whole_answer() { return fmt::format("{{\"id\":\"x\",\"choices\":[],{}}}", usage_text); }

void expect_counted(const Case& setup) {
  EXPECT_TRUE(setup.record().usage.known);
  EXPECT_FALSE(setup.record().usage.estimated);
  EXPECT_EQ(setup.record().usage.prompt, 7u);
  EXPECT_EQ(setup.record().usage.completion, 3u);
  EXPECT_TRUE(setup.record().cost);
}

TEST(WholeReply, CountsAnAnswerOfOnePiece) {
  Case setup;
  setup.whole({whole_answer()}, whole_answer().size());
  EXPECT_EQ(setup.reply->length(), whole_answer().size());
  EXPECT_EQ(setup.run().text, whole_answer());
  expect_counted(setup);
}

TEST(WholeReply, CountsAnAnswerOfManyPiecesWithAndWithoutItsLength) {
  const std::string text = whole_answer();
  for (const auto length : {std::optional<std::uint64_t>(text.size()), std::optional<std::uint64_t>()}) {
    for (std::size_t cut = 1; cut < text.size(); cut += 5) {
      Case setup;
      setup.whole({text.substr(0, cut), text.substr(cut)}, length);
      ASSERT_EQ(setup.run().text, text);
      expect_counted(setup);
    }
  }
}

TEST(WholeReply, EstimatesAnAnswerThatIsTooLargeToKeep) {
  Case setup;
  const std::string filler(1 << 20, ' ');
  std::vector<Step> steps(5, filler);
  steps.emplace_back(whole_answer());
  setup.whole(std::move(steps));
  EXPECT_EQ(setup.run().text.size(), 5 * filler.size() + whole_answer().size());
  EXPECT_TRUE(setup.record().usage.estimated);
  EXPECT_GT(setup.record().usage.prompt, 0u);
}

TEST(WholeReply, EstimatesAnAnswerWithoutUsage) {
  Case setup;
  setup.whole({std::string("{}")}, 2);
  setup.run();
  EXPECT_TRUE(setup.record().usage.estimated);
  EXPECT_GT(setup.record().usage.prompt, 0u);
}

TEST(WholeReply, EstimatesForAClientThatLeavesEarly) {
  Case setup;
  setup.whole({whole_answer().substr(0, 10), for_ever()}, whole_answer().size());
  const auto leave = [&]() -> Task<void> {
    const Result<std::string_view> first = co_await setup.reply->read();
    EXPECT_TRUE(first);
    {
      Task<Result<std::string_view>> waiting = setup.reply->read();
      waiting.start();
      EXPECT_FALSE(waiting.done());
    }
    setup.reply.reset();
  };
  net::run_until_done(leave());
  EXPECT_TRUE(setup.dropped);
  EXPECT_TRUE(setup.record().usage.estimated);
}

TEST(WholeReply, CountsNothingWhereNothingCounts) {
  Case setup;
  setup.whole({whole_answer()}, whole_answer().size(), false);
  EXPECT_EQ(setup.run().text, whole_answer());
  EXPECT_FALSE(setup.record().usage.known);
  EXPECT_FALSE(setup.record().cost);
}

TEST(WholeReply, PassesAnErrorOn) {
  Case setup;
  setup.whole({std::string("{"), broken()}, 100);
  const Received& received = setup.run();
  EXPECT_EQ(received.text, "{");
  ASSERT_TRUE(received.error);
  EXPECT_EQ(received.error->kind, ErrorKind::reset);
  EXPECT_TRUE(setup.record().usage.estimated);
}

TEST(WholeReply, EndedFromOutsideItFails) {
  Case setup;
  setup.whole({std::string("{"), for_ever()}, 100);
  const auto first_came = [&] { return !setup.received.pieces.empty(); };
  const Received& received = setup.run_and_cancel(first_came);
  ASSERT_TRUE(received.error);
  EXPECT_EQ(received.error->kind, ErrorKind::draining);
  EXPECT_TRUE(setup.dropped);
}

}  // namespace
}  // namespace sluice
