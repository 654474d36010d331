#include "provider/upstream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <set>
#include <thread>

#include "http/client.h"
#include "http/client_test_support.h"
#include "net/worker.h"

namespace sluice {
namespace {

using http::testing::ok;
using http::testing::ScriptedServer;
using testing::HasSubstr;
using testing::Not;

ProviderConfig provider(std::string name, std::string base_url) {
  ProviderConfig config;
  config.name = std::move(name);
  config.type = "openai";
  config.base_url = std::move(base_url);
  return config;
}

ProviderConfig mock(std::string name) {
  ProviderConfig config;
  config.name = std::move(name);
  config.type = "mock";
  return config;
}

Error build_error(const ProviderConfig& config) {
  const auto built = Providers::build({mock("fine"), config});
  EXPECT_FALSE(built);
  return built ? Error{} : built.error();
}

TEST(Providers, AreFoundByName) {
  const auto built = Providers::build({mock("demo"), provider("local", "http://127.0.0.1:1/v1")});
  ASSERT_TRUE(built);
  EXPECT_EQ((*built)->find("local")->config().base_url, "http://127.0.0.1:1/v1");
  EXPECT_EQ((*built)->find("Local"), nullptr);
  EXPECT_EQ((*built)->all().size(), 2u);
}

TEST(Providers, AnErrorNamesTheProviderAndWhatIsWrong) {
  ProviderConfig config = provider("secure", "https://127.0.0.1:1/v1");
  config.tls.ca_file = "/nowhere/ca.pem";
  const Error unreadable = build_error(config);
  EXPECT_EQ(unreadable.kind, ErrorKind::config);
  EXPECT_THAT(unreadable.text, HasSubstr("providers.secure: "));
  EXPECT_THAT(unreadable.text, HasSubstr("/nowhere/ca.pem"));

  EXPECT_THAT(build_error(provider("odd", "gopher://x")).text, HasSubstr("providers.odd: "));
}

TEST(Providers, AnErrorAboutAProxyKeepsItsPassword) {
  ProviderConfig config = provider("behind", "http://example.com/v1");
  config.proxy = Secret("ftp://user:s3cret@proxy.example:21");
  const Error error = build_error(config);
  EXPECT_THAT(error.text, HasSubstr("providers.behind: "));
  EXPECT_THAT(error.text, Not(HasSubstr("s3cret")));
}

TEST(Provider, UsesItsKeysInTurn) {
  ProviderConfig config = mock("demo");
  config.api_keys = {Secret("a"), Secret("b"), Secret("c")};
  const auto built = Providers::build({config, mock("keyless")});
  const Provider& turning = *(*built)->find("demo");
  std::string keys;
  for (int i = 0; i < 7; ++i) keys += turning.next_key();
  EXPECT_EQ(keys, "abcabca");
  EXPECT_EQ((*built)->find("keyless")->next_key(), "");
}

TEST(Provider, SharesItsKeysEvenlyBetweenThreads) {
  ProviderConfig config = mock("demo");
  config.api_keys = {Secret("a"), Secret("b")};
  const auto built = Providers::build({config});
  const Provider& turning = *(*built)->find("demo");
  std::array<std::atomic<int>, 2> used{};
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 500; ++k) ++used[turning.next_key() == "a" ? 0 : 1];
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(used[0], 1000);
  EXPECT_EQ(used[1], 1000);
}

std::vector<std::string> identities(const std::vector<ProviderConfig>& configs) {
  const auto built = Providers::build(configs);
  EXPECT_TRUE(built);
  return built ? (*built)->identities() : std::vector<std::string>();
}

TEST(Identity, IsTheSameForTheSameServerAndNamesNoSecret) {
  ProviderConfig first = provider("a", "http://127.0.0.1:8000/v1");
  first.api_keys = {Secret("sk-secret")};
  first.proxy = Secret("http://user:s3cret@proxy.example:3128");
  ProviderConfig second = first;
  second.name = "b";
  second.base_url = "http://127.0.0.1:8000/other";
  second.api_keys = {Secret("another")};
  const auto both = identities({first, second});
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both[0], both[1]);
  EXPECT_THAT(both[0], Not(HasSubstr("cret")));
}

TEST(Identity, DiffersWhereConnectionsMustNotBeShared) {
  const ProviderConfig plain = provider("a", "https://127.0.0.1:8000/v1");
  ProviderConfig unverified = plain;
  unverified.name = "b";
  unverified.tls.verify = false;
  ProviderConfig proxied = plain;
  proxied.name = "c";
  proxied.proxy = Secret("http://proxy.example:3128");
  const auto all = identities({plain, unverified, proxied, provider("d", "https://127.0.0.1:8001/v1")});
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), 4u);
}

TEST(Identity, TheMockNeedsNoConnections) { EXPECT_TRUE(identities({mock("demo")}).empty()); }

Task<std::string> answer_of(Upstream& upstream, UpstreamCall& call, http::Client& client) {
  Result<http::Response> response = co_await upstream.send(call, client);
  if (!response) co_return std::string(code_of(response.error().kind)) + ": " + response.error().text;
  const Result<std::string> text = co_await http::read_all(response->body.get(), 1 << 20);
  co_return std::to_string(response->status) + " " + (text ? *text : text.error().text);
}

TEST(HttpUpstream, CallsUnderItsBaseUrl) {
  const auto test = []() -> Task<void> {
    std::string seen;
    const auto script = [&seen](net::Stream& stream) -> Task<void> {
      std::array<char, 4096> buffer{};
      const Result<std::size_t> got = co_await stream.read(buffer);
      seen.assign(buffer.data(), got.value_or(0));
      co_await http::testing::say(stream, ok("pong"));
    };
    ScriptedServer server({script});
    const auto built = Providers::build({provider("local", std::string(server.identity()) + "/api/v1")});
    EXPECT_TRUE(built);
    http::Client client;
    UpstreamCall call;
    call.method = "POST";
    call.target = "/embeddings?x=1";
    call.fields.add("content-type", "application/json");
    call.has_body = true;
    call.body = "{}";
    const std::string answer = co_await answer_of((*built)->find("local")->upstream(), call, client);
    EXPECT_EQ(answer, "200 pong");
    EXPECT_THAT(seen, HasSubstr("POST /api/v1/embeddings?x=1 HTTP/1.1\r\n"));
    EXPECT_THAT(seen, HasSubstr("content-type: application/json\r\n"));
    EXPECT_THAT(seen, testing::EndsWith("\r\n\r\n{}"));
  };
  net::run_until_done(test());
}

TEST(HttpUpstream, TellsThatNobodyAnswers) {
  const auto test = []() -> Task<void> {
    const auto built = Providers::build({provider("gone", "http://127.0.0.1:1/v1")});
    http::Client client;
    UpstreamCall call;
    call.method = "GET";
    call.target = "/models";
    const std::string answer = co_await answer_of((*built)->find("gone")->upstream(), call, client);
    EXPECT_THAT(answer, testing::StartsWith("connect_failed: "));
  };
  net::run_until_done(test());
}

TEST(MockUpstream, AnswersWithoutANetwork) {
  const auto test = []() -> Task<void> {
    const auto built = Providers::build({mock("demo")});
    http::Client client;
    UpstreamCall call;
    call.method = "GET";
    call.target = "/models";
    const std::string answer = co_await answer_of((*built)->find("demo")->upstream(), call, client);
    EXPECT_THAT(answer, testing::StartsWith("200 {"));
    EXPECT_THAT(answer, HasSubstr("demo-small"));
  };
  net::run_until_done(test());
}

}  // namespace
}  // namespace sluice
