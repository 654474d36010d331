#include "gateway/live.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace sluice {
namespace {

using Entry = LiveExchanges::Entry;
using testing::ElementsAre;

class LiveTest : public testing::Test {
 protected:
  std::vector<ExchangeRecord> settled;
  LiveExchanges live{3, [this](const ExchangeRecord& record) { settled.push_back(record); }};

  std::unique_ptr<Entry> begin(int status = 0) {
    auto entry = std::make_unique<Entry>(live);
    entry->exchange.record.status = status;
    return entry;
  }
  Outcome outcome_of(std::unique_ptr<Entry> entry) {
    entry.reset();
    return settled.back().outcome;
  }
  std::vector<std::string> ids() const {
    std::vector<std::string> all;
    for (const LiveView& view : live.views()) all.push_back(view.id);
    return all;
  }
};

TEST_F(LiveTest, FinishedExchangesAreCountedByTheirStatus) {
  const auto finished = [this](int status) {
    auto entry = begin(status);
    entry->finish();
    return outcome_of(std::move(entry));
  };
  EXPECT_EQ(finished(200), Outcome::ok);
  EXPECT_EQ(finished(101), Outcome::ok);
  EXPECT_EQ(finished(304), Outcome::ok);
  EXPECT_EQ(finished(404), Outcome::client_error);
  EXPECT_EQ(finished(429), Outcome::client_error);
  EXPECT_EQ(finished(503), Outcome::upstream_error);
}

TEST_F(LiveTest, ADroppedExchangeHasLostItsClient) {
  EXPECT_EQ(outcome_of(begin()), Outcome::client_gone);
  EXPECT_EQ(outcome_of(begin(200)), Outcome::client_gone);
}

TEST_F(LiveTest, ACancelledExchangeWasEnded) {
  auto dropped = begin(200);
  dropped->exchange.cancel(ErrorKind::draining, "bye");
  EXPECT_EQ(outcome_of(std::move(dropped)), Outcome::ended);
  auto finished = begin(200);
  finished->exchange.cancel(ErrorKind::cancelled, "bye");
  finished->finish();
  EXPECT_EQ(outcome_of(std::move(finished)), Outcome::ended);
}

TEST_F(LiveTest, WhatWasNotedOnTheWayStays) {
  for (const Outcome outcome : {Outcome::broken, Outcome::gateway_error, Outcome::upstream_error}) {
    auto entry = begin(200);
    entry->exchange.record.outcome = outcome;
    EXPECT_EQ(outcome_of(std::move(entry)), outcome);
  }
}

TEST_F(LiveTest, EveryExchangeIsSettledOnceWithItsEnd) {
  auto first = begin();
  auto second = begin();
  first->exchange.record.id = "first";
  EXPECT_EQ(live.size(), 2u);
  first.reset();
  ASSERT_EQ(settled.size(), 1u);
  EXPECT_EQ(settled[0].id, "first");
  EXPECT_GE(settled[0].ended, settled[0].started);
  second.reset();
  EXPECT_EQ(settled.size(), 2u);
  EXPECT_EQ(live.size(), 0u);
}

TEST_F(LiveTest, ShowsWhatIsUnderWayInTheOrderOfAge) {
  auto first = begin();
  auto second = begin();
  ExchangeRecord& record = second->exchange.record;
  record.id = "req_2";
  record.client = "10.0.0.7";
  record.provider = "openai";
  record.stream = true;
  record.bytes_in = 5;
  record.bytes_out = 7;
  record.usage.completion = 9;
  EXPECT_THAT(ids(), ElementsAre("3-1", "3-2"));
  const LiveView view = live.views()[1];
  EXPECT_EQ(view.request_id, "req_2");
  EXPECT_EQ(view.client, "10.0.0.7");
  EXPECT_EQ(view.provider, "openai");
  EXPECT_TRUE(view.stream);
  EXPECT_EQ(view.bytes_in, 5u);
  EXPECT_EQ(view.bytes_out, 7u);
  EXPECT_EQ(view.tokens, 9u);
  EXPECT_GE(view.age_seconds, 0);
  first.reset();
  EXPECT_THAT(ids(), ElementsAre("3-2"));
}

TEST_F(LiveTest, CancelsOneByItsId) {
  auto first = begin();
  auto second = begin();
  EXPECT_TRUE(live.cancel("3-2", ErrorKind::cancelled, "ended"));
  EXPECT_FALSE(first->exchange.cancelled());
  ASSERT_TRUE(second->exchange.cancelled());
  EXPECT_EQ(second->exchange.cancelled()->text, "ended");
  EXPECT_FALSE(live.cancel("3-3", ErrorKind::cancelled, "ended"));
  EXPECT_FALSE(live.cancel("2-1", ErrorKind::cancelled, "ended"));
  EXPECT_FALSE(live.cancel("", ErrorKind::cancelled, "ended"));
}

TEST_F(LiveTest, CancelMayEndTheExchangeAtOnce) {
  auto entry = begin();
  entry->exchange.set_interrupt([&entry] { entry.reset(); });
  EXPECT_TRUE(live.cancel("3-1", ErrorKind::cancelled, "ended"));
  EXPECT_EQ(live.size(), 0u);
  EXPECT_EQ(settled.back().outcome, Outcome::ended);
}

TEST_F(LiveTest, CancelAllReachesEveryoneThoughOthersVanish) {
  std::vector<std::unique_ptr<Entry>> entries;
  for (int i = 0; i < 6; ++i) entries.push_back(begin());
  // The first takes itself and its neighbours away, the fourth begins another.
  std::unique_ptr<Entry> begun;
  entries[0]->exchange.set_interrupt([&] {
    entries[1].reset();
    entries[2].reset();
    entries[0].reset();
  });
  entries[3]->exchange.set_interrupt([&] { begun = begin(); });
  live.cancel_all(ErrorKind::draining, "bye");
  EXPECT_EQ(live.size(), 4u);
  for (int i = 3; i < 6; ++i) EXPECT_TRUE(entries[static_cast<std::size_t>(i)]->exchange.cancelled()) << i;
  EXPECT_FALSE(begun->exchange.cancelled());
  EXPECT_EQ(settled.size(), 3u);
}

}  // namespace
}  // namespace sluice
