#include "pipeline/load_body.h"

#include <gtest/gtest.h>

#include "net/running.h"
#include "net/worker.h"

namespace sluice {
namespace {

/// Never gives a byte.
class SilentBody final : public http::Body {
 public:
  Task<Result<std::string_view>> read() override {
    co_await net::sleep_for(std::chrono::hours(1));
    co_return std::string_view();
  }
};

Exchange with_type(std::string_view type, std::string text) {
  Exchange exchange;
  if (!type.empty()) exchange.request.head.fields.add("content-type", type);
  exchange.request.body = std::make_unique<http::StringBody>(std::move(text));
  return exchange;
}

TEST(LoadBody, KnowsJsonByItsType) {
  for (const char* type : {"application/json", "Application/JSON; charset=utf-8", "application/vnd.x+json",
                           "application/x-www-form-urlencoded"}) {
    EXPECT_TRUE(has_json_body(with_type(type, "{}"))) << type;
  }
  for (const char* type : {"", "multipart/form-data; boundary=x", "audio/wav", "text/plain", "application/jsonl"}) {
    EXPECT_FALSE(has_json_body(with_type(type, "{}"))) << type;
  }
}

Task<void> reads_once_and_holds_to_each_limit() {
  Exchange exchange = with_type("application/json", "{\"a\":1}");
  EXPECT_TRUE(co_await load_body(exchange, 100));
  EXPECT_EQ(exchange.body_text, "{\"a\":1}");
  EXPECT_EQ(exchange.record.bytes_in, 7u);
  EXPECT_TRUE(co_await load_body(exchange, 7));
  const Result<void> narrower = co_await load_body(exchange, 6);
  EXPECT_FALSE(narrower);
  EXPECT_EQ(narrower.error().kind, ErrorKind::too_large);
  Exchange large = with_type("application/json", std::string(11, ' '));
  const Result<void> refused = co_await load_body(large, 10);
  EXPECT_FALSE(refused);
  EXPECT_EQ(refused.error().text, "the body is larger than the limit of 10 bytes");
}

TEST(LoadBody, ReadsOnceAndHoldsToEachLimit) { net::run_until_done(reads_once_and_holds_to_each_limit()); }

Task<void> an_ended_exchange_waits_no_longer() {
  Exchange exchange;
  exchange.request.body = std::make_unique<SilentBody>();
  net::Running<Result<void>> loading(load_body(exchange, 100));
  EXPECT_FALSE(loading.done());
  exchange.cancel(ErrorKind::draining, "over");
  EXPECT_TRUE(loading.done());
  const Result<void> loaded = loading.take();
  EXPECT_FALSE(loaded);
  EXPECT_EQ(loaded.error().kind, ErrorKind::draining);
  co_return;
}

TEST(LoadBody, AnEndedExchangeWaitsNoLonger) { net::run_until_done(an_ended_exchange_waits_no_longer()); }

}  // namespace
}  // namespace sluice
