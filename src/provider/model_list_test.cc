#include "provider/model_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <list>

#include "http/client.h"
#include "http/client_test_support.h"
#include "net/running.h"
#include "net/worker.h"
#include "provider/mock/test_client.h"

namespace sluice {
namespace {

using http::testing::ScriptedServer;
using mock::Doc;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

ProviderConfig provider(std::string name, std::string base_url = {}) {
  ProviderConfig config;
  config.name = std::move(name);
  config.type = base_url.empty() ? "mock" : "openai";
  config.base_url = std::move(base_url);
  config.mock.models = {"one", "two"};
  return config;
}

const std::vector<ModelConfig> aliases{{"smart", {{"demo", "one", 1}}}, {"a b", {{"demo", "one", 1}}}};

http::RequestHead head_of(std::string method, std::string target) {
  http::RequestHead head;
  head.method = std::move(method);
  head.target = std::move(target);
  return head;
}

struct Asked {
  int status = 0;
  std::string text;
  std::vector<std::string> ids() const {
    Doc doc(text);
    std::vector<std::string> all;
    for (std::size_t i = 0; i < doc.size("/data"); ++i) all.push_back(doc.text(fmt::format("/data/{}/id", i)));
    return all;
  }
};

/// A list over providers, on a loop of the test's own.
struct Lists {
  explicit Lists(const std::vector<ProviderConfig>& configs) : providers(std::move(*Providers::build(configs))) {}

  Task<void> ask(std::string target, Asked& asked) {
    Exchange exchange;
    exchange.upstreams = &client;
    exchange.request.head = head_of("GET", std::move(target));
    Reply reply = co_await list.answer(exchange);
    asked.status = reply.status;
    asked.text = (co_await http::read_all(reply.body.get(), 1 << 20)).value_or("");
  }
  Asked operator()(std::string target = "/v1/models") {
    Asked asked;
    net::run_until_done(ask(std::move(target), asked));
    return asked;
  }

  std::unique_ptr<Providers> providers;
  ModelList list{*providers, aliases};
  http::Client client;
};

TEST(ModelList, KnowsItsPaths) {
  const auto asks = [](std::string method, std::string target) {
    return ModelList::asks_for_it(head_of(std::move(method), std::move(target)));
  };
  EXPECT_TRUE(asks("GET", "/v1/models"));
  EXPECT_TRUE(asks("HEAD", "/v1/models?limit=2"));
  EXPECT_TRUE(asks("GET", "/v1/models/gpt-4o"));
  EXPECT_TRUE(asks("GET", "/v1/models/demo/one"));
  EXPECT_FALSE(asks("DELETE", "/v1/models/ft:x"));
  EXPECT_FALSE(asks("POST", "/v1/models"));
  EXPECT_FALSE(asks("GET", "/v1/models/"));
  EXPECT_FALSE(asks("GET", "/v1/modelsx"));
  EXPECT_FALSE(asks("GET", "/v1/files"));
  http::RequestHead named = head_of("GET", "/v1/models");
  named.fields.add("x-sluice-provider", "demo");
  EXPECT_FALSE(ModelList::asks_for_it(named));
}

TEST(ModelList, MergesAliasesAndWhatProvidersList) {
  Lists lists({provider("demo"), provider("other")});
  const Asked asked = lists();
  EXPECT_EQ(asked.status, 200);
  EXPECT_THAT(asked.ids(), ElementsAre("smart", "a b", "demo/one", "demo/two", "other/one", "other/two"));
  Doc doc(asked.text);
  EXPECT_EQ(doc.text("/object"), "list");
  EXPECT_EQ(doc.text("/data/0/object"), "model");
  EXPECT_EQ(doc.text("/data/2/owned_by"), "mock");
}

TEST(ModelList, GivesOneByItsName) {
  Lists lists({provider("demo")});
  for (const char* path : {"/v1/models/smart", "/v1/models/demo/one", "/v1/models/demo%2Fone", "/v1/models/a%20b"}) {
    const Asked asked = lists(path);
    EXPECT_EQ(asked.status, 200) << path;
    EXPECT_EQ(Doc(asked.text).text("/object"), "model") << path;
  }
  const Asked none = lists("/v1/models/three");
  EXPECT_EQ(none.status, 404);
  EXPECT_EQ(Doc(none.text).text("/error/code"), "model_not_found");
  EXPECT_THAT(none.text, HasSubstr("three"));
}

TEST(ModelList, LeavesOutWhoDoesNotAnswer) {
  Lists lists({provider("demo"), provider("gone", "http://127.0.0.1:1/v1")});
  EXPECT_THAT(lists().ids(), ElementsAre("smart", "a b", "demo/one", "demo/two"));
}

TEST(ModelList, AListOfAKeyOfTheClientIsNotShownToOthers) {
  ProviderConfig personal = provider("personal");
  personal.client_key = true;
  Lists lists({provider("demo"), personal});
  EXPECT_THAT(lists().ids(), ElementsAre("smart", "a b", "demo/one", "demo/two"));
}

/// A server whose answers are bodies of model lists, one for each connection.
std::vector<ScriptedServer::Script> answers(std::vector<std::string> texts) {
  std::vector<ScriptedServer::Script> scripts;
  for (const std::string& text : texts) {
    scripts.emplace_back([text](net::Stream& stream) -> Task<void> {
      co_await http::testing::read_request(stream);
      co_await http::testing::say(stream, text);
    });
  }
  return scripts;
}

TEST(ModelList, KeepsWhatItWasTold) {
  const auto test = []() -> Task<void> {
    ScriptedServer server(answers({http::testing::ok(R"({"data":[{"id":"m"},{"id":7},{},null]})")}));
    Lists lists({provider("local", std::string(server.identity()) + "/v1")});
    for (int i = 0; i < 3; ++i) {
      Asked asked;
      co_await lists.ask("/v1/models", asked);
      EXPECT_THAT(asked.ids(), ElementsAre("smart", "a b", "local/m"));
    }
    EXPECT_EQ(server.accepted(), 1u);
  };
  net::run_until_done(test());
}

TEST(ModelList, AProviderThatFailsIsNotAskedAgainAtOnce) {
  const auto test = []() -> Task<void> {
    ScriptedServer server(answers({"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"}));
    Lists lists({provider("local", std::string(server.identity()) + "/v1")});
    for (int i = 0; i < 3; ++i) {
      Asked asked;
      co_await lists.ask("/v1/models", asked);
      EXPECT_EQ(asked.status, 200);
      EXPECT_THAT(asked.ids(), ElementsAre("smart", "a b"));
    }
    EXPECT_EQ(server.accepted(), 1u);
  };
  net::run_until_done(test());
}

TEST(ModelList, IsWholeForEveryoneWhoAsksAtTheSameTime) {
  const auto test = []() -> Task<void> {
    const std::string text = http::testing::ok(R"({"data":[{"id":"m"}]})");
    ScriptedServer server(answers({text, text, text}));
    Lists lists({provider("local", std::string(server.identity()) + "/v1")});
    std::array<Asked, 3> asked;
    std::list<net::Running<void>> asking;
    for (Asked& one : asked) asking.emplace_back(lists.ask("/v1/models", one));
    for (net::Running<void>& one : asking) co_await one.finished();
    for (const Asked& one : asked) EXPECT_THAT(one.ids(), ElementsAre("smart", "a b", "local/m"));
  };
  net::run_until_done(test());
}

}  // namespace
}  // namespace sluice
