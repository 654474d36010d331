#include "gateway/exchange_body.h"

#include <gtest/gtest.h>

#include "net/worker.h"
#include "provider/scripted_body.h"

namespace sluice {
namespace {

using testing_support::for_ever;
using testing_support::receive;
using testing_support::Received;
using testing_support::ScriptedBody;
using testing_support::Step;

const Error reset{ErrorKind::reset, ErrorSource::upstream, Retryable::no, "it broke"};

struct Case {
  std::vector<ExchangeRecord> settled;
  LiveExchanges live{0, [this](const ExchangeRecord& record) { settled.push_back(record); }};
  bool dropped = false;
  Received received;
  std::unique_ptr<ExchangeBody> body;
  LiveExchanges::Entry* entry = nullptr;

  explicit Case(std::vector<Step> steps, std::optional<std::uint64_t> length = {}) {
    auto made = std::make_unique<LiveExchanges::Entry>(live);
    entry = made.get();
    entry->exchange.record.status = 200;
    body = std::make_unique<ExchangeBody>(std::move(made),
                                          std::make_unique<ScriptedBody>(std::move(steps), &dropped, length));
  }
  const ExchangeRecord& run() {
    net::run_until_done(receive(*body, received));
    EXPECT_TRUE(settled.empty());
    body.reset();
    EXPECT_EQ(settled.size(), 1u);
    EXPECT_TRUE(dropped);
    return settled.front();
  }
};

TEST(ExchangeBody, CountsWhatTheClientTakes) {
  Case one({std::string("abc"), std::string("defgh")}, 8);
  EXPECT_EQ(one.body->length(), 8u);
  const ExchangeRecord& record = one.run();
  EXPECT_EQ(one.received.text, "abcdefgh");
  EXPECT_EQ(record.bytes_out, 8u);
  EXPECT_EQ(record.outcome, Outcome::ok);
  EXPECT_NE(record.first_token, TimePoint{});
}

TEST(ExchangeBody, AnEmptyAnswerIsAWholeOne) {
  const ExchangeRecord record = Case({}).run();
  EXPECT_EQ(record.outcome, Outcome::ok);
  EXPECT_EQ(record.first_token, TimePoint{});
}

TEST(ExchangeBody, KeepsAFirstTokenThatWasNotedBefore) {
  Case one({std::string("abc")});
  const TimePoint earlier = Clock::now() - std::chrono::hours(1);
  one.entry->exchange.record.first_token = earlier;
  EXPECT_EQ(one.run().first_token, earlier);
}

TEST(ExchangeBody, ABreakIsNoted) {
  const ExchangeRecord record = Case({std::string("abc"), reset}).run();
  EXPECT_EQ(record.outcome, Outcome::broken);
  EXPECT_EQ(record.error_code, "connection_reset");
  EXPECT_EQ(record.error_text, "it broke");
  EXPECT_EQ(record.bytes_out, 3u);
}

TEST(ExchangeBody, ABreakBecauseItWasEndedIsNoBreak) {
  Case one({std::string("abc"), reset});
  one.entry->exchange.cancel(ErrorKind::draining, "bye");
  EXPECT_EQ(one.run().outcome, Outcome::ended);
}

TEST(ExchangeBody, DroppedInTheMiddleTheClientIsGone) {
  Case one({std::string("abc"), for_ever()});
  const auto leave = [&]() -> Task<void> {
    const Result<std::string_view> first = co_await one.body->read();
    EXPECT_TRUE(first);
    {
      Task<Result<std::string_view>> waiting = one.body->read();
      waiting.start();
      EXPECT_FALSE(waiting.done());
    }
    one.body.reset();
  };
  net::run_until_done(leave());
  EXPECT_TRUE(one.dropped);
  ASSERT_EQ(one.settled.size(), 1u);
  EXPECT_EQ(one.settled[0].outcome, Outcome::client_gone);
  EXPECT_EQ(one.settled[0].bytes_out, 3u);
}

TEST(ExchangeBody, NeverReadTheClientIsGone) {
  Case one({std::string("abc")});
  one.body.reset();
  EXPECT_EQ(one.settled[0].outcome, Outcome::client_gone);
}

}  // namespace
}  // namespace sluice
