#include "gateway/admin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/gateway_test_support.h"
#include "provider/mock/test_client.h"

namespace sluice {
namespace {

using mock::Doc;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing_support::Client;
using testing_support::eventually;
using testing_support::stream_request;
using testing_support::with_gateway;
using testing_support::World;

const std::string config =
    "listen: [\"127.0.0.1:0\"]\nworkers: 2\nproviders:\n  demo: {type: mock}\n"
    "  local: {type: openai, base_url: \"http://127.0.0.1:1/v1\", api_key: sk-very-secret}\n";

struct Answer {
  int status = 0;
  http::Fields fields;
  std::string text;
};

/// What the operator gets.
Task<Answer> ask(World& world, std::string method, std::string target) {
  AdminHandler admin(*world.gateway, world.counters());
  http::Request request;
  request.head.method = std::move(method);
  request.head.target = std::move(target);
  http::Response response = co_await admin.handle(request);
  Answer answer{response.status, std::move(response.fields), ""};
  answer.text = (co_await http::read_all(response.body.get(), 1 << 20)).value_or("");
  co_return answer;
}

TEST(Admin, TellsOfItsHealth) {
  with_gateway(config, [](World& world) -> Task<void> {
    EXPECT_EQ((co_await ask(world, "GET", "/healthz")).text, "{\"status\":\"ok\"}\n");
    const Answer ready = co_await ask(world, "HEAD", "/readyz?verbose");
    EXPECT_EQ(ready.status, 200);
    EXPECT_EQ(ready.text, "{\"status\":\"ready\",\"revision\":1}\n");
    const Answer metrics = co_await ask(world, "GET", "/metrics");
    EXPECT_EQ(metrics.fields.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_THAT(metrics.text, HasSubstr("# TYPE sluice_requests_total counter"));
  });
}

TEST(Admin, IsNotReadyWhileDraining) {
  with_gateway(config, [](World& world) -> Task<void> {
    bool done = false;
    world.gateway->drain([&done] { done = true; });
    const Answer ready = co_await ask(world, "GET", "/readyz");
    EXPECT_EQ(ready.status, 503);
    EXPECT_EQ(ready.text, "{\"status\":\"draining\"}\n");
    EXPECT_EQ((co_await ask(world, "GET", "/healthz")).status, 200);
    EXPECT_EQ((co_await ask(world, "POST", "/admin/reload")).status, 422);
    EXPECT_TRUE(co_await eventually([&done] { return done; }));
  });
}

TEST(Admin, RefusesWhatItDoesNotKnow) {
  with_gateway(config, [](World& world) -> Task<void> {
    for (const char* path : {"/", "/admin", "/admin/streams/", "/healthz/", "/v1/models"}) {
      const Answer answer = co_await ask(world, "GET", path);
      EXPECT_EQ(answer.status, 404) << path;
      EXPECT_THAT(Doc(answer.text).text("/error/message"), HasSubstr("/readyz")) << path;
      EXPECT_EQ(Doc(answer.text).text("/error/code"), "not_found") << path;
    }
    const Answer wrong = co_await ask(world, "GET", "/admin/reload");
    EXPECT_EQ(wrong.status, 405);
    EXPECT_EQ(wrong.fields.get("allow"), "POST");
    EXPECT_EQ(Doc(wrong.text).text("/error/code"), "method_not_allowed");
    EXPECT_EQ((co_await ask(world, "POST", "/metrics")).fields.get("allow"), "GET");
    EXPECT_EQ((co_await ask(world, "GET", "/admin/streams/0-1")).fields.get("allow"), "DELETE");
  });
}

TEST(Admin, ShowsTheConfigurationWithoutSecrets) {
  with_gateway(config, [](World& world) -> Task<void> {
    const Answer answer = co_await ask(world, "GET", "/admin/config");
    EXPECT_EQ(answer.status, 200);
    Doc doc(answer.text);
    EXPECT_TRUE(doc.valid());
    EXPECT_EQ(doc.text("/providers/local/api_key"), "***");
    EXPECT_EQ(doc.text("/providers/demo/type"), "mock");
    EXPECT_THAT(answer.text, Not(HasSubstr("sk-very-secret")));
  });
}

TEST(Admin, Reloads) {
  with_gateway(config, [](World& world) -> Task<void> {
    world.write(config + "models: {fresh: demo/demo-small}\n");
    const Answer good = co_await ask(world, "POST", "/admin/reload");
    EXPECT_EQ(good.status, 200);
    EXPECT_EQ(good.text, "{\"ok\":true,\"revision\":2}\n");
    EXPECT_THAT((co_await ask(world, "GET", "/admin/config")).text, HasSubstr("fresh"));

    world.write(config + "drian: 3s\n");
    const Answer bad = co_await ask(world, "POST", "/admin/reload");
    EXPECT_EQ(bad.status, 422);
    Doc doc(bad.text);
    EXPECT_EQ(doc.json("/ok"), "false");
    EXPECT_EQ(doc.number("/revision"), 2);
    EXPECT_THAT(doc.text("/problems/0"), StartsWith(world.file() + ":"));
    EXPECT_THAT(bad.text, HasSubstr("drian"));
    EXPECT_EQ((co_await ask(world, "GET", "/readyz")).text, "{\"status\":\"ready\",\"revision\":2}\n");
  });
}

TEST(Admin, ListsStreamsAndEndsThem) {
  with_gateway(config, [](World& world) -> Task<void> {
    EXPECT_EQ((co_await ask(world, "GET", "/admin/streams")).text, "{\"streams\":[]}\n");
    Client client;
    EXPECT_TRUE(co_await client.connect(world.address()));
    co_await client.say(stream_request(1'000'000, "2ms"));
    co_await client.hear("data: ");
    const Answer list = co_await ask(world, "GET", "/admin/streams");
    Doc doc(list.text);
    EXPECT_EQ(doc.size("/streams"), 1u);
    EXPECT_EQ(doc.text("/streams/0/provider"), "demo");
    EXPECT_EQ(doc.json("/streams/0/stream"), "true");

    const Answer none = co_await ask(world, "DELETE", "/admin/streams/9-9");
    EXPECT_EQ(none.status, 404);
    EXPECT_THAT(Doc(none.text).text("/error/message"), HasSubstr("/admin/streams"));
    const std::string id = doc.text("/streams/0/id");
    const Answer ended = co_await ask(world, "DELETE", "/admin/streams/" + id);
    EXPECT_EQ(ended.status, 200);
    EXPECT_EQ(Doc(ended.text).text("/ended"), id);
    EXPECT_THAT(co_await client.hear_all(), AllOf(HasSubstr("operator ended"), Not(HasSubstr("[DONE]"))));
  });
}

}  // namespace
}  // namespace sluice
