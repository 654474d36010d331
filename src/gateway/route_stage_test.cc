#include "gateway/route_stage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/worker.h"
#include "provider/scripted_body.h"

namespace sluice {
namespace {

using testing::HasSubstr;
using testing_support::ScriptedBody;
using testing_support::Step;

/// Notes what comes through.
class Inner final : public Stage {
 public:
  Task<Reply> handle(Exchange& exchange, Next) override {
    route = exchange.route;
    body_text = exchange.body_text;
    has_body = exchange.request.body != nullptr;
    reached = true;
    co_return http::make_response(200, "text/plain", "inner");
  }
  RouteSettings route;
  std::optional<std::string> body_text;
  bool has_body = false;
  bool reached = false;
};

Config routes() {
  Config config;
  config.limits.max_body = 100;
  RouteConfig files;
  files.name = "files";
  files.match.path = "/v1/files*";
  files.provider = "local";
  RouteConfig red;
  red.name = "red";
  red.match.header = {{"x-team", "red"}};
  red.max_body = 10;
  RouteConfig smart;
  smart.name = "smart";
  smart.match.path = "/v1/chat/*";
  smart.match.model = "smart*";
  smart.max_body = 1000;
  config.routes = {files, red, smart};
  return config;
}

struct Case {
  explicit Case(std::string path, std::string body = {}) {
    exchange.request.head.method = "POST";
    exchange.request.head.target = std::move(path);
    exchange.request.head.fields.add("content-type", "application/json");
    if (!body.empty()) exchange.request.body = std::make_unique<http::StringBody>(std::move(body));
  }
  void run() {
    const auto all = [&]() -> Task<void> {
      const Next next(stages);
      Reply reply = co_await stage.handle(exchange, next);
      status = reply.status;
      text = (co_await http::read_all(reply.body.get(), 1 << 20)).value_or("");
    };
    net::run_until_done(all());
  }
  const std::string& route() const { return exchange.record.route; }

  RouteTable table{routes()};
  RouteStage stage{table};
  std::vector<std::unique_ptr<Stage>> stages = [] {
    std::vector<std::unique_ptr<Stage>> made;
    made.push_back(std::make_unique<Inner>());
    return made;
  }();
  Inner& inner = static_cast<Inner&>(*stages.front());
  Exchange exchange;
  int status = 0;
  std::string text;
};

TEST(RouteStage, TheRouteIsNotedAndObeyed) {
  Case one("/v1/files?limit=2", "{}");
  one.run();
  EXPECT_EQ(one.status, 200);
  EXPECT_EQ(one.route(), "files");
  EXPECT_EQ(one.inner.route.provider, "local");
  EXPECT_EQ(one.inner.route.max_body, 100u);
  EXPECT_TRUE(one.inner.has_body);
  EXPECT_FALSE(one.inner.body_text);
}

TEST(RouteStage, AModelThatNoRouteAsksForIsNotRead) {
  Case one("/v1/embeddings", R"({"model":"smart"})");
  one.run();
  EXPECT_EQ(one.route(), "default");
  EXPECT_FALSE(one.inner.body_text);
}

TEST(RouteStage, ByTheModelThatTheBodyNames) {
  Case smart("/v1/chat/completions", R"({"model":"smart-2"})");
  smart.run();
  EXPECT_EQ(smart.route(), "smart");
  EXPECT_EQ(smart.inner.route.max_body, 1000u);
  EXPECT_EQ(smart.inner.body_text, R"({"model":"smart-2"})");
  Case other("/v1/chat/completions", R"({"model":"other"})");
  other.run();
  EXPECT_EQ(other.route(), "default");
  EXPECT_EQ(other.inner.body_text, R"({"model":"other"})");
}

TEST(RouteStage, AHeaderComesBeforeAModel) {
  Case one("/v1/chat/completions", R"({"model":"smart"})");
  one.exchange.request.head.fields.add("x-team", "red");
  one.run();
  EXPECT_EQ(one.route(), "red");
}

TEST(RouteStage, ABodyThatIsNoJsonNamesNoModel) {
  Case one("/v1/chat/completions", R"({"model":"smart"})");
  one.exchange.request.head.fields.set("content-type", "text/plain");
  one.run();
  EXPECT_EQ(one.route(), "default");
  EXPECT_TRUE(one.inner.has_body);
  Case broken("/v1/chat/completions", R"({"model":"smart")");
  broken.run();
  EXPECT_EQ(broken.route(), "default");
  EXPECT_TRUE(broken.inner.reached);
}

TEST(RouteStage, ABodyMayBeAsLargeAsTheWidestRouteAllows) {
  const std::string padding(200, 'x');
  Case wide("/v1/chat/completions", R"({"model":"smart","x":")" + padding + "\"}");
  wide.run();
  EXPECT_EQ(wide.status, 200);
  Case huge("/v1/chat/completions",
            R"({"model":"smart","x":")" + padding + padding + padding + padding + padding + "\"}");
  huge.run();
  EXPECT_EQ(huge.status, 413);
  EXPECT_THAT(huge.text, HasSubstr("1000"));
  EXPECT_FALSE(huge.inner.reached);
  EXPECT_EQ(huge.exchange.record.outcome, Outcome::client_error);
}

TEST(RouteStage, ABodyThatBreaksIsRefused) {
  Case one("/v1/chat/completions");
  const Error slow{ErrorKind::timeout, ErrorSource::client, Retryable::no, "the request body came too slowly"};
  one.exchange.request.body = std::make_unique<ScriptedBody>(std::vector<Step>{std::string("{"), slow});
  one.run();
  EXPECT_EQ(one.status, 408);
  EXPECT_THAT(one.text, HasSubstr("too slowly"));
  EXPECT_FALSE(one.inner.reached);
}

}  // namespace
}  // namespace sluice
