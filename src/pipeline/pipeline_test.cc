#include <gtest/gtest.h>

#include <vector>

#include "pipeline/exchange.h"
#include "pipeline/stage.h"

namespace sluice {
namespace {

class Note final : public Stage {
 public:
  Note(std::vector<int>& seen, int number) : seen_(seen), number_(number) {}
  Task<Reply> handle(Exchange& exchange, Next next) override {
    seen_.push_back(number_);
    Reply reply = co_await next(exchange);
    seen_.push_back(-number_);
    co_return reply;
  }

 private:
  std::vector<int>& seen_;
  int number_;
};

class Answer final : public Stage {
 public:
  Task<Reply> handle(Exchange&, Next) override {
    Reply reply;
    reply.status = 204;
    co_return reply;
  }
};

TEST(Pipeline, StagesStandAroundEachOther) {
  std::vector<int> seen;
  std::vector<std::unique_ptr<Stage>> stages;
  stages.push_back(std::make_unique<Note>(seen, 1));
  stages.push_back(std::make_unique<Note>(seen, 2));
  stages.push_back(std::make_unique<Answer>());
  Exchange exchange;
  const Next pipeline(stages);
  Task<Reply> task = pipeline(exchange);
  task.start();
  ASSERT_TRUE(task.done());
  EXPECT_EQ(task.take().status, 204);
  EXPECT_EQ(seen, (std::vector{1, 2, -2, -1}));
}

TEST(Pipeline, WithoutAnAnsweringStageIsADefectOfOurs) {
  Exchange exchange;
  const Next pipeline({});
  Task<Reply> task = pipeline(exchange);
  task.start();
  ASSERT_TRUE(task.done());
  EXPECT_EQ(task.take().status, 500);
}

TEST(Exchange, CancelInterruptsOnceAndRemembersTheFirstReason) {
  Exchange exchange;
  int interrupted = 0;
  exchange.set_interrupt([&] { ++interrupted; });
  exchange.cancel(ErrorKind::draining, "shutting down");
  exchange.cancel(ErrorKind::cancelled, "again");
  EXPECT_EQ(interrupted, 1);
  ASSERT_TRUE(exchange.cancelled());
  EXPECT_EQ(exchange.cancelled()->kind, ErrorKind::draining);
  EXPECT_EQ(exchange.cancelled()->source, ErrorSource::gateway);
  EXPECT_EQ(exchange.cancelled()->text, "shutting down");
}

TEST(Exchange, WhatIsSetAfterTheCancelIsInterruptedAtOnce) {
  Exchange exchange;
  exchange.cancel(ErrorKind::cancelled, "gone");
  int interrupted = 0;
  exchange.set_interrupt([&] { ++interrupted; });
  exchange.set_interrupt({});
  EXPECT_EQ(interrupted, 1);
}

TEST(Exchange, NothingIsInterruptedOnceTheInterruptWasTakenBack) {
  Exchange exchange;
  int interrupted = 0;
  exchange.set_interrupt([&] { ++interrupted; });
  exchange.set_interrupt({});
  exchange.cancel(ErrorKind::cancelled, "gone");
  EXPECT_EQ(interrupted, 0);
}

TEST(Exchange, MayBeDestroyedByItsInterrupt) {
  auto exchange = std::make_unique<Exchange>();
  exchange->set_interrupt([&] { exchange.reset(); });
  exchange->cancel(ErrorKind::cancelled, "gone");
  EXPECT_FALSE(exchange);
}

TEST(Outcome, NamesAreStable) {
  EXPECT_EQ(name_of(Outcome::ok), "ok");
  EXPECT_EQ(name_of(Outcome::client_error), "client_error");
  EXPECT_EQ(name_of(Outcome::upstream_error), "upstream_error");
  EXPECT_EQ(name_of(Outcome::gateway_error), "gateway_error");
  EXPECT_EQ(name_of(Outcome::broken), "broken");
  EXPECT_EQ(name_of(Outcome::client_gone), "client_gone");
  EXPECT_EQ(name_of(Outcome::ended), "ended");
}

}  // namespace
}  // namespace sluice
