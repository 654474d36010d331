#include "gateway/gateway.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/gateway_test_support.h"
#include "net/listener.h"

namespace sluice {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing_support::ask;
using testing_support::Client;
using testing_support::eventually;
using testing_support::request;
using testing_support::stream_request;
using testing_support::unchunked;
using testing_support::with_gateway;
using testing_support::World;

constexpr std::string_view endless = "x-mock-first-token: 1h\r\n";

std::string config(std::string_view listen = "[\"127.0.0.1:0\"]", std::string_view more = "") {
  return fmt::format("listen: {}\nworkers: 2\nproviders:\n  demo: {{type: mock}}\n{}", listen, more);
}

std::string chat(std::string_view model = "demo/demo-small", std::string_view fields = "") {
  const std::string body = fmt::format(R"({{"model":"{}","messages":[{{"role":"user","content":"Hello"}}]}})", model);
  return request("POST", "/v1/chat/completions", body, fields);
}

std::string free_address() {
  const Result<int> descriptor = net::Listener::bind("127.0.0.1:0");
  std::string address = net::Listener::local_address(*descriptor);
  ::close(*descriptor);
  return address;
}

TEST(Gateway, Serves) {
  with_gateway(config(), [](World& world) -> Task<void> {
    const std::string answer = co_await ask(world.address(), chat("demo/demo-small", "x-request-id: mine\r\n"));
    EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("x-request-id: mine\r\n"),
                              HasSubstr("x-sluice-provider: demo\r\n"), HasSubstr("chat.completion")));
    const std::string unknown = co_await ask(world.address(), request("GET", "/nothing"));
    EXPECT_THAT(unknown, AllOf(StartsWith("HTTP/1.1 404 "), HasSubstr("x-request-id: req_"), HasSubstr("\"code\":")));
    const std::string nonsense = co_await ask(world.address(), "NONSENSE\r\n\r\n");
    EXPECT_THAT(nonsense, AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("{\"error\":{")));
  });
}

TEST(Gateway, EveryWorkerListensOnThePortThatWasChosen) {
  with_gateway(config(), [](World& world) -> Task<void> {
    EXPECT_EQ(world.gateway->addresses().size(), 1u);
    EXPECT_THAT(world.address(), Not(testing::EndsWith(":0")));
    for (int i = 0; i < 20; ++i) {
      EXPECT_THAT(co_await ask(world.address(), request("GET", "/v1/models")), StartsWith("HTTP/1.1 200 "));
    }
  });
}

TEST(Gateway, DoesNotStartOnAnAddressInUse) {
  with_gateway(config(), [](World& world) -> Task<void> {
    World second(config(fmt::format("[\"127.0.0.1:0\", \"{}\"]", world.address())));
    const Result<void> started = second.start();
    EXPECT_FALSE(started);
    if (!started) EXPECT_THAT(started.error().text, HasSubstr(world.address()));
    EXPECT_TRUE(second.gateway->addresses().empty());
    co_return;
  });
}

TEST(Snapshot, NamesTheListenerWhoseCertificateCannotBeRead) {
  Config config;
  config.listeners = {{"127.0.0.1:0", {{"/nowhere/cert.pem", "/nowhere/key.pem"}}}};
  const Result<std::shared_ptr<const Snapshot>> built = Snapshot::build(config, 1);
  ASSERT_FALSE(built);
  EXPECT_THAT(built.error().text, AllOf(HasSubstr("listen 127.0.0.1:0: "), HasSubstr("/nowhere/")));
}

TEST(Reload, NewRequestsObeyTheNewFile) {
  with_gateway(config(), [](World& world) -> Task<void> {
    EXPECT_THAT(co_await ask(world.address(), chat("fresh")), StartsWith("HTTP/1.1 200 "));  // the only provider's
    world.write(config("[\"127.0.0.1:0\"]", "  other: {type: mock}\nmodels: {fresh: demo/demo-large}\n"));
    const std::string before = world.address();
    const ReloadResult result = world.gateway->reload("test");
    EXPECT_TRUE(result.ok);
    EXPECT_EQ(result.revision, 2u);
    EXPECT_EQ(world.address(), before);
    co_await world.gateway->obeyed();
    EXPECT_THAT(co_await ask(world.address(), chat("fresh")), HasSubstr("\"model\":\"demo-large\""));
    EXPECT_THAT(co_await ask(world.address(), chat("frsh")), HasSubstr("Did you mean \\\"fresh\\\""));
    EXPECT_THAT(world.metrics(), HasSubstr("sluice_reloads_total{outcome=\"ok\"} 1"));
  });
}

TEST(Reload, ABadFileChangesNothingAndSaysWhere) {
  with_gateway(config(), [](World& world) -> Task<void> {
    world.write(config("[\"127.0.0.1:0\"]", "modles: {a: demo/x}\n"));
    const ReloadResult result = world.gateway->reload("test");
    EXPECT_FALSE(result.ok);
    EXPECT_EQ(result.revision, 1u);
    EXPECT_THAT(result.problems,
                testing::ElementsAre(AllOf(StartsWith(world.file() + ":5:1: modles: "), HasSubstr("models"))));
    world.write("{");
    EXPECT_THAT(world.gateway->reload("test").problems, testing::ElementsAre(StartsWith(world.file() + ":1:")));
    EXPECT_EQ(world.gateway->snapshot().revision, 1u);
    EXPECT_THAT(co_await ask(world.address(), chat()), StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(world.metrics(), HasSubstr("sluice_reloads_total{outcome=\"failed\"} 2"));
  });
}

TEST(Reload, WhatCannotBePutInForceChangesNothing) {
  with_gateway(config(), [](World& world) -> Task<void> {
    World other(config());
    EXPECT_TRUE(other.start());
    const std::string fresh = free_address();
    world.write(config(fmt::format("[\"127.0.0.1:0\", \"{}\", \"{}\"]", fresh, other.address())));
    const ReloadResult result = world.gateway->reload("test");
    EXPECT_FALSE(result.ok);
    EXPECT_THAT(result.problems, testing::ElementsAre(HasSubstr(other.address())));
    EXPECT_EQ(world.gateway->addresses().size(), 1u);
    EXPECT_EQ(co_await ask(fresh, chat()), "not connected");
    EXPECT_THAT(co_await ask(world.address(), chat()), StartsWith("HTTP/1.1 200 "));
  });
}

TEST(Reload, AnAddressMayBeSpelledAsItLikes) {
  const std::string address = free_address();
  const std::string port = address.substr(address.find(':'));
  with_gateway(config(fmt::format("[\"localhost{}\"]", port)), [](World& world) -> Task<void> {
    EXPECT_TRUE(world.gateway->reload("test").ok);
    world.write(config(fmt::format("[\"{}\"]", world.address())));
    EXPECT_TRUE(world.gateway->reload("test").ok);
    EXPECT_THAT(co_await ask(world.address(), chat()), StartsWith("HTTP/1.1 200 "));
  });
}

TEST(Reload, ListenersComeAndGoUnderAStreamThatStaysWhole) {
  with_gateway(config(), [](World& world) -> Task<void> {
    const std::string first = world.address();
    const std::string reference = unchunked(co_await ask(first, stream_request(100, "0s")));
    EXPECT_THAT(reference, testing::EndsWith("data: [DONE]\n\n"));

    Client client;
    EXPECT_TRUE(co_await client.connect(first));
    co_await client.say(stream_request(100, "4ms"));
    co_await client.hear("data: ");

    world.write(config("[\"127.0.0.1:0\", \"127.0.0.1:0\"]"));
    EXPECT_TRUE(world.gateway->reload("test").ok);
    EXPECT_EQ(world.address(0), first);
    const std::string second = world.address(1);
    EXPECT_NE(second, first);
    EXPECT_THAT(co_await ask(second, chat()), StartsWith("HTTP/1.1 200 "));

    EXPECT_TRUE(world.gateway->reload("test").ok);
    EXPECT_EQ(world.address(1), second);

    world.write(config(fmt::format("[\"{}\"]", second)));
    EXPECT_TRUE(world.gateway->reload("test").ok);
    EXPECT_THAT(co_await ask(second, chat()), StartsWith("HTTP/1.1 200 "));
    co_await world.gateway->obeyed();
    EXPECT_EQ(co_await ask(first, chat()), "not connected");

    EXPECT_EQ(unchunked(co_await client.hear_all()), reference);
  });
}

TEST(Reload, AStreamKeepsTheProviderItBeganWith) {
  with_gateway(config("[\"127.0.0.1:0\"]", "models: {m: demo/demo-small}\n"), [](World& world) -> Task<void> {
    const std::string reference = unchunked(co_await ask(world.address(), stream_request(60, "0s", "m")));
    Client client;
    EXPECT_TRUE(co_await client.connect(world.address()));
    co_await client.say(stream_request(60, "4ms", "m"));
    co_await client.hear("data: ");
    world.write("listen: [\"127.0.0.1:0\"]\nproviders: {new: {type: mock}}\n");
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(world.gateway->reload("test").ok);
    co_await world.gateway->obeyed();
    EXPECT_EQ(unchunked(co_await client.hear_all()), reference);
    EXPECT_THAT(co_await ask(world.address(), chat("demo/x")), HasSubstr("x-sluice-provider: new\r\n"));
  });
}

TEST(Drain, LetsAStreamFinish) {
  with_gateway(config(), [](World& world) -> Task<void> {
    const std::string address = world.address();
    const std::string reference = unchunked(co_await ask(address, stream_request(60, "0s")));
    Client client;
    EXPECT_TRUE(co_await client.connect(address));
    co_await client.say(stream_request(60, "4ms"));
    co_await client.hear("data: ");
    bool done = false;
    world.gateway->drain([&done] { done = true; });
    EXPECT_TRUE(world.gateway->draining());
    co_await world.gateway->obeyed();
    EXPECT_EQ(co_await ask(address, chat()), "not connected");
    EXPECT_EQ(unchunked(co_await client.hear_all()), reference);
    EXPECT_TRUE(co_await eventually([&done] { return done; }));
  });
}

TEST(Drain, WithNothingUnderWayIsDoneAtOnce) {
  with_gateway(config(), [](World& world) -> Task<void> {
    Client idle;
    EXPECT_TRUE(co_await idle.connect(world.address()));
    bool done = false;
    world.gateway->drain([&done] { done = true; });
    EXPECT_EQ(co_await idle.hear_all(), "");
    EXPECT_TRUE(co_await eventually([&done] { return done; }));
    EXPECT_THAT(world.metrics(), HasSubstr("sluice_draining 1"));
  });
}

TEST(Drain, AfterItsTimeEndsAStreamWithAnErrorEvent) {
  with_gateway(config("[\"127.0.0.1:0\"]", "drain: 20ms\n"), [](World& world) -> Task<void> {
    Client client;
    EXPECT_TRUE(co_await client.connect(world.address()));
    co_await client.say(stream_request(1'000'000, "5ms"));
    co_await client.hear("data: ");
    Client waiting;
    EXPECT_TRUE(co_await waiting.connect(world.address()));
    co_await waiting.say(chat("demo/demo-small", endless));
    const auto both_live = [&world]() -> Task<bool> { co_return (co_await world.gateway->live()).size() == 2; };
    while (!co_await both_live()) co_await net::sleep_for(std::chrono::milliseconds(1));

    bool done = false;
    world.gateway->drain([&done] { done = true; });
    const std::string body = unchunked(co_await client.hear_all());
    EXPECT_THAT(body, Not(HasSubstr("[DONE]")));
    EXPECT_THAT(
        body.substr(body.rfind("data: ")),
        AllOf(StartsWith("data: {\"error\":{"), HasSubstr("\"code\":\"draining\""), testing::EndsWith("}\n\n")));
    EXPECT_THAT(co_await waiting.hear_all(), AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("\"code\":\"draining\"")));
    EXPECT_TRUE(co_await eventually([&done] { return done; }));
    EXPECT_THAT(world.metrics(), HasSubstr("outcome=\"ended\"} "));
  });
}

TEST(Drain, NothingIsReloadedAnyMore) {
  with_gateway(config(), [](World& world) -> Task<void> {
    Client client;
    EXPECT_TRUE(co_await client.connect(world.address()));
    co_await client.say(stream_request(50, "4ms"));
    co_await client.hear("data: ");
    bool done = false;
    world.gateway->drain([&done] { done = true; });
    const std::string fresh = free_address();
    world.write(config(fmt::format("[\"{}\"]", fresh)));
    const ReloadResult result = world.gateway->reload("test");
    EXPECT_FALSE(result.ok);
    EXPECT_THAT(result.problems, testing::ElementsAre(HasSubstr("shutting down")));
    EXPECT_EQ(co_await ask(fresh, chat()), "not connected");
    EXPECT_TRUE(co_await eventually([&done] { return done; }));
  });
}

TEST(LiveExchanges, AreSeenAndEndedFromOutside) {
  with_gateway(config(), [](World& world) -> Task<void> {
    EXPECT_TRUE((co_await world.gateway->live()).empty());
    Client client;
    EXPECT_TRUE(co_await client.connect(world.address()));
    co_await client.say(stream_request(1'000'000, "2ms"));
    std::vector<LiveView> views;
    while (views.empty() || views[0].tokens == 0) {
      co_await net::sleep_for(std::chrono::milliseconds(1));
      views = co_await world.gateway->live();
    }
    EXPECT_EQ(views.size(), 1u);
    EXPECT_EQ(views[0].method, "POST");
    EXPECT_EQ(views[0].path, "/v1/chat/completions");
    EXPECT_EQ(views[0].client, "127.0.0.1");
    EXPECT_EQ(views[0].route, "default");
    EXPECT_EQ(views[0].provider, "demo");
    EXPECT_EQ(views[0].model, "demo-small");
    EXPECT_TRUE(views[0].stream);
    EXPECT_GT(views[0].bytes_in, 0u);
    EXPECT_GT(views[0].bytes_out, 0u);
    EXPECT_THAT(views[0].request_id, StartsWith("req_"));

    EXPECT_FALSE(co_await world.gateway->end_exchange("7-7"));
    EXPECT_TRUE(co_await world.gateway->end_exchange(views[0].id));
    const std::string body = unchunked(co_await client.hear_all());
    EXPECT_THAT(body, AllOf(HasSubstr("\"code\":\"cancelled\""), Not(HasSubstr("[DONE]"))));
    while (!(co_await world.gateway->live()).empty()) co_await net::sleep_for(std::chrono::milliseconds(1));
    EXPECT_FALSE(co_await world.gateway->end_exchange(views[0].id));
    const std::string counted = R"(route="default",provider="demo",model="demo-small",outcome="ended"} 1)";
    EXPECT_THAT(world.metrics(), HasSubstr(counted));
  });
}

TEST(Outcomes, AreCountedHoweverAnExchangeEnds) {
  with_gateway(config(), [](World& world) -> Task<void> {
    co_await ask(world.address(), chat());
    co_await ask(world.address(), request("HEAD", "/v1/models"));
    co_await ask(world.address(), chat("demo/demo-small", "x-mock-fault: status=429\r\n"));
    co_await ask(world.address(), chat("demo/demo-small", "x-mock-fault: status=503\r\n"));
    Client leaving;
    EXPECT_TRUE(co_await leaving.connect(world.address()));
    co_await leaving.say(stream_request(1'000'000, "2ms"));
    co_await leaving.hear("data: ");
    leaving.hang_up();
    Client impatient;
    EXPECT_TRUE(co_await impatient.connect(world.address()));
    co_await impatient.say(chat("demo/demo-small", endless));
    while ((co_await world.gateway->live()).empty()) co_await net::sleep_for(std::chrono::milliseconds(1));
    impatient.hang_up();

    const std::string label = R"(sluice_requests_total{route="default",provider="demo",model="demo-small",outcome=")";
    for (const char* line : {"ok\"} 1", "client_error\"} 1", "upstream_error\"} 1", "client_gone\"} 2"}) {
      const std::string wanted = label + line;
      EXPECT_TRUE(co_await eventually([&] { return world.metrics().find(wanted) != std::string::npos; })) << wanted;
    }
    const std::string list = R"(sluice_requests_total{route="default",provider="",model="",outcome="ok"} 1)";
    EXPECT_THAT(world.metrics(), HasSubstr(list));
  });
}

}  // namespace
}  // namespace sluice
