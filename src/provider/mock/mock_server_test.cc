#include "provider/mock/mock_server.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <thread>

#include "provider/mock/digest.h"
#include "provider/mock/files.h"
#include "provider/mock/test_client.h"
#include "provider/mock/tokens.h"

namespace sluice::mock {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view hello = R"({"model":"m","messages":[{"role":"user","content":"hello"}]})";
constexpr std::string_view hello_stream =
    R"({"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]})";

TEST(MockTokens, CountWordsAndCharacters) {
  EXPECT_EQ(count_tokens(""), 0U);
  EXPECT_EQ(count_tokens("one  two\nthree."), 4U);
  EXPECT_EQ(count_tokens("你好, world"), 4U);
  EXPECT_EQ(count_tokens("abcdefghijklmnopqrstuvwxyz"), 3U);
  EXPECT_EQ(count_tokens("end  "), 2U);
}

TEST(MockServer, ListsModels) {
  MockServer server({.models = {"a", "b/c"}});
  Doc list(ask(server, request("GET", "/v1/models")).text);
  EXPECT_EQ(list.size("/data"), 2U);
  EXPECT_EQ(list.text("/data/1/id"), "b/c");
  EXPECT_EQ(list.text("/data/1/object"), "model");
  EXPECT_EQ(Doc(ask(server, request("GET", "/v1/models/b/c")).text).text("/id"), "b/c");
  const Got unknown = ask(server, request("GET", "/v1/models/z"));
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(Doc(unknown.text).text("/error/code"), "model_not_found");
}

TEST(MockServer, RefusesWhatItDoesNotKnow) {
  MockServer server({});
  for (const auto& [method, target, status] : std::vector<std::tuple<std::string_view, std::string_view, int>>{
           {"GET", "/v1/nothing", 404},
           {"POST", "/v1/nothing", 404},
           {"GET", "/v1/chat/completions", 405},
           {"DELETE", "/v1/models", 404},
           {"GET", "/", 404},
           {"GET", "/mock/nothing", 404},
           {"PUT", "/mock/requests", 405},
       }) {
    const Got got = ask(server, request(method, target));
    EXPECT_EQ(got.status, status) << method << target;
    EXPECT_EQ(Doc(got.text).text("/error/type"), "invalid_request_error");
  }
  EXPECT_EQ(ask(server, request("GET", "/healthz")).status, 200);
}

TEST(MockServer, EchoesTheRequestWithoutCredentials) {
  MockServer server({});
  const Got got = chat(server, std::string(hello),
                       {{"x-mock-echo", "1"}, {"authorization", "Bearer sk-secret"}, {"x-odd", "caf\xe9 \"q\""}});
  Doc echo(got.text);
  EXPECT_EQ(echo.text("/method"), "POST");
  EXPECT_EQ(echo.text("/target"), "/v1/chat/completions");
  EXPECT_EQ(echo.text("/body"), hello);
  EXPECT_EQ(echo.number("/body_bytes"), static_cast<std::int64_t>(hello.size()));
  EXPECT_EQ(echo.text("/body_sha256"), sha256(hello));
  EXPECT_THAT(got.text, Not(HasSubstr("sk-secret")));
  EXPECT_THAT(got.text, HasSubstr("sha256:" + sha256("Bearer sk-secret").substr(0, 16)));
  EXPECT_EQ(echo.text("/headers/3/1"), "caf\u00e9 \"q\"");
}

TEST(MockServer, RemembersTheLastRequests) {
  MockServer server({});
  chat(server, std::string(hello), {{"x-api-key", "secret-key"}});
  for (int i = 0; i < 120; ++i) ask(server, request("GET", fmt::format("/v1/models?i={}", i)));
  const Got got = ask(server, request("GET", "/mock/requests"));
  Doc log(got.text);
  EXPECT_EQ(log.size("/requests"), 100U);
  EXPECT_EQ(log.text("/requests/99/target"), "/v1/models?i=119");
  EXPECT_EQ(log.number("/requests/99/number"), 121);
  EXPECT_EQ(log.number("/requests/0/number"), 22);

  ask(server, request("DELETE", "/mock/requests"));
  chat(server, std::string(hello), {{"x-api-key", "secret-key"}});
  const Got cleared = ask(server, request("GET", "/mock/requests"));
  Doc one(cleared.text);
  EXPECT_EQ(one.size("/requests"), 1U);
  EXPECT_EQ(one.text("/requests/0/body"), hello);
  EXPECT_THAT(cleared.text, Not(HasSubstr("secret-key")));
}

TEST(MockServer, BoundsWhatItRemembers) {
  MockServer server({});
  const std::string text = "é" + std::string(100000, 'x');
  chat(server, fmt::format(R"({{"model":"m","messages":[{{"role":"user","content":"{}"}}]}})", text));
  Doc log(ask(server, request("GET", "/mock/requests")).text);
  EXPECT_EQ(log.text("/requests/0/body").size(), 16U * 1024);
  EXPECT_GT(log.number("/requests/0/body_bytes"), 100000);
}

TEST(MockServer, CountsHowStreamsEnd) {
  MockServer server({});
  chat(server, std::string(hello_stream));
  chat(server, std::string(hello_stream), {{"x-mock-fault", "cut-after=1"}});
  const auto leave = [](MockServer& mock) -> Task<void> {
    http::Response response = co_await mock.handle(request("POST", "/v1/chat/completions", std::string(hello_stream)));
    EXPECT_TRUE((co_await response.body->read()).has_value());
    EXPECT_EQ(Doc(ask(mock, request("GET", "/mock/stats")).text).number("/live_streams"), 1);
  };
  Task<void> leaving = leave(server);
  leaving.start();
  ASSERT_TRUE(leaving.done());
  Doc stats(ask(server, request("GET", "/mock/stats")).text);
  EXPECT_EQ(stats.number("/requests"), 3);
  EXPECT_EQ(stats.number("/streams"), 3);
  EXPECT_EQ(stats.number("/live_streams"), 0);
  EXPECT_EQ(stats.number("/finished_streams"), 1);
  EXPECT_EQ(stats.number("/broken_streams"), 1);
  EXPECT_EQ(stats.number("/cancelled_streams"), 1);
  EXPECT_EQ(stats.number("/faults"), 1);
}

TEST(MockServer, AnswersMayOutliveIt) {
  auto server = std::make_unique<MockServer>(MockOptions{});
  Task<http::Response> task = server->handle(request("POST", "/v1/chat/completions", std::string(hello_stream)));
  task.start();
  http::Response response = task.take();
  server.reset();
  Task<Result<std::string_view>> reading = response.body->read();
  reading.start();
  EXPECT_THAT(std::string(*reading.take()), StartsWith("data: "));
}

TEST(MockServer, MayBeAskedByManyThreads) {
  MockServer server({});
  const auto ask_often = [&server] {
    for (int i = 0; i < 50; ++i) {
      EXPECT_EQ(chat(server, std::string(i % 2 ? hello : hello_stream)).status, 200);
      EXPECT_EQ(ask(server, request("GET", "/mock/requests")).status, 200);
    }
  };
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) threads.emplace_back(ask_often);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Doc(ask(server, request("GET", "/mock/stats")).text).number("/requests"), 200);
}

/// A body that never is in memory as a whole.
class LongBody final : public http::Body {
 public:
  explicit LongBody(std::size_t pieces) : left_(pieces), piece_(10000, 'x') {}
  Task<Result<std::string_view>> read() override {
    co_return left_ == 0 ? std::string_view() : (--left_, std::string_view(piece_));
  }

 private:
  std::size_t left_;
  std::string piece_;
};

TEST(MockFiles, TakeUploadsOfAnySize) {
  MockServer server({});
  http::Request upload = request("POST", "/v1/files", "", {{"content-type", "multipart/form-data; boundary=x"}});
  upload.body = std::make_unique<LongBody>(800);
  Doc answer(ask(server, std::move(upload)).text);
  EXPECT_EQ(answer.text("/object"), "file");
  EXPECT_EQ(answer.number("/bytes"), 8'000'000);
  EXPECT_EQ(answer.text("/sha256"), sha256(std::string(8'000'000, 'x')));

  Doc heard(ask(server, request("POST", "/v1/audio/transcriptions", "abc", {{"content-type", "audio/wav"}})).text);
  EXPECT_EQ(heard.text("/text"), "A recording of 3 bytes.");
  Doc drawn(ask(server, request("POST", "/v1/images/generations", R"({"prompt":"x"})")).text);
  EXPECT_THAT(drawn.text("/data/0/b64_json"), StartsWith("iVBOR"));
  Doc raw(ask(server, request("PUT", "/v1/anything", "abc", {{"content-type", "application/octet-stream"}})).text);
  EXPECT_EQ(raw.number("/bytes"), 3);
}

TEST(MockFiles, GiveBytesThatCanBeChecked) {
  MockServer server({});
  const Got got = ask(server, request("GET", "/v1/files/file-1/content?bytes=100000"));
  EXPECT_EQ(got.length, 100000U);
  ASSERT_EQ(got.text.size(), 100000U);
  EXPECT_EQ(got.text, ask(server, request("GET", "/v1/files/file-1/content?bytes=100000")).text);
  EXPECT_NE(got.text, ask(server, request("GET", "/v1/files/file-2/content?bytes=100000")).text);
  EXPECT_EQ(got.text.substr(64000, 17), "00000000000003e8 ");
  EXPECT_EQ(got.text[63999], '\n');
  EXPECT_EQ(ask(server, request("GET", "/v1/files/f/content?bytes=1MiB")).text.size(), 1U << 20);
  EXPECT_EQ(ask(server, request("GET", "/v1/files/f/content?bytes=0")).text, "");
  EXPECT_EQ(ask(server, request("GET", "/v1/files/f/content?bytes=x")).status, 400);
  EXPECT_EQ(ask(server, request("POST", "/v1/audio/speech?bytes=10", "{}")).text.size(), 10U);
}

}  // namespace
}  // namespace sluice::mock
