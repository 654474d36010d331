#include "provider/provider_stage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/client.h"
#include "http/client_test_support.h"
#include "net/worker.h"
#include "provider/mock/test_client.h"
#include "provider/scripted_body.h"

namespace sluice {
namespace {

using mock::Doc;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing_support::receive;
using testing_support::Received;
using testing_support::ScriptedBody;
using testing_support::Step;

ProviderConfig provider(std::string name, std::string base_url = {}) {
  ProviderConfig config;
  config.name = std::move(name);
  config.type = base_url.empty() ? "mock" : "openai";
  config.base_url = std::move(base_url);
  return config;
}

/// What a client asks.
struct Ask {
  std::string method = "POST";
  std::string target = "/v1/chat/completions";
  std::string body;
  std::vector<std::pair<std::string, std::string>> fields;
  std::unique_ptr<http::Body> stream;  ///< instead of `body`
};

Ask chat(std::string body, std::vector<std::pair<std::string, std::string>> fields = {}) {
  Ask ask;
  ask.body = std::move(body);
  ask.fields = std::move(fields);
  return ask;
}

Ask get(std::string target, std::vector<std::pair<std::string, std::string>> fields = {}) {
  Ask ask;
  ask.method = "GET";
  ask.target = std::move(target);
  ask.fields = std::move(fields);
  return ask;
}

/// What comes back, and what is noted of it.
struct Answer {
  int status = 0;
  http::Fields fields;
  std::string text;
  std::optional<Error> error;
  ExchangeRecord record;
  std::string code() const { return Doc(text).text("/error/code"); }
  std::string message() const { return Doc(text).text("/error/message"); }
};

/// The stage over providers, as a snapshot holds it.
class Gate {
 public:
  explicit Gate(std::vector<ProviderConfig> configs, std::vector<ModelConfig> aliases = {})
      : aliases_(std::move(aliases)),
        providers_(std::move(*Providers::build(configs))),
        models_(configs, aliases_),
        prices_({{"demo-*", 1.0, 2.0, {}, {}, {}, {}}}),
        stage_(*providers_, models_, aliases_, prices_) {}

  RouteSettings route{"", 1 << 20, {}};
  std::function<void(Exchange&)> meanwhile;  ///< called a moment after the stage was asked

  Answer operator()(Ask ask) {
    Answer answer;
    net::run_until_done(handle(std::move(ask), answer));
    return answer;
  }

 private:
  Task<void> handle(Ask ask, Answer& answer) {
    http::Client client;
    Exchange exchange;
    exchange.upstreams = &client;
    exchange.route = route;
    exchange.record.id = "req_1";
    exchange.record.path = ask.target;
    exchange.request.head.method = ask.method;
    exchange.request.head.target = ask.target;
    exchange.request.body = std::move(ask.stream);
    if (!ask.body.empty()) {
      exchange.request.head.fields.add("content-type", "application/json");
      exchange.request.body = std::make_unique<http::StringBody>(ask.body);
    }
    for (const auto& [name, value] : ask.fields) exchange.request.head.fields.set(name, value);
    if (meanwhile) spawn(a_moment_later(exchange));

    Reply reply = co_await stage_.handle(exchange, Next({}));
    Received received;
    if (reply.body) co_await receive(*reply.body, received);
    reply.body.reset();
    answer = {reply.status, std::move(reply.fields), received.text, received.error, exchange.record};
  }
  Task<void> a_moment_later(Exchange& exchange) {
    co_await net::sleep_for(std::chrono::milliseconds(3));
    meanwhile(exchange);
  }

  std::vector<ModelConfig> aliases_;
  std::unique_ptr<Providers> providers_;
  ModelTable models_;
  llm::PriceTable prices_;
  ProviderStage stage_;
};

Gate two() {
  return Gate({provider("demo"), provider("other")},
              {{"default", {{"demo", "demo-small", 1}}}, {"smart", {{"other", "demo-large", 1}}}});
}

const std::pair<std::string, std::string> echo{"x-mock-echo", "1"};
constexpr std::string_view hello = R"("messages":[{"role":"user","content":"Hello"}])";

std::string body_for(std::string_view model, std::string_view more = "") {
  return fmt::format(R"({{"model":"{}",{}{}}})", model, hello, more);
}

/// The body that a provider got, of an echo.
std::string sent_body(const Answer& answer) { return Doc(answer.text).text("/body"); }
std::string sent_target(const Answer& answer) { return Doc(answer.text).text("/target"); }

TEST(ProviderStage, AProviderAndItsModel) {
  Gate gate = two();
  const Answer answer = gate(chat(body_for("other/demo-large")));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.fields.get("x-sluice-provider"), "other");
  EXPECT_EQ(Doc(answer.text).text("/model"), "demo-large");
  EXPECT_EQ(answer.record.provider, "other");
  EXPECT_EQ(answer.record.model, "demo-large");
  EXPECT_EQ(answer.record.upstream_model, "demo-large");
  EXPECT_TRUE(answer.record.usage.known);
  EXPECT_FALSE(answer.record.usage.estimated);
  EXPECT_GT(answer.record.usage.completion, 0u);
  EXPECT_TRUE(answer.record.cost);
  EXPECT_FALSE(answer.record.stream);
}

TEST(ProviderStage, AnAliasBecomesTheProvidersOwnName) {
  Gate gate = two();
  const Answer answer = gate(chat(R"({ "model" : "smart", "x" : 1.50 })", {echo}));
  EXPECT_EQ(sent_body(answer), R"({ "model" : "demo-large", "x" : 1.50 })");
  EXPECT_EQ(sent_target(answer), "/v1/chat/completions");
  EXPECT_EQ(answer.record.model, "smart");
  EXPECT_TRUE(answer.record.model_known);
  EXPECT_EQ(answer.record.upstream_model, "demo-large");
}

TEST(ProviderStage, WhatNeedsNoChangePassesByteForByte) {
  Gate gate({provider("demo")});
  const std::string body = "{\n\t\"x\" : 1.0e+02 , \"model\":\"demo-small\", \"\\u0061\":[ ] }\r\n";
  EXPECT_EQ(sent_body(gate(chat(body, {echo}))), body);
}

TEST(ProviderStage, NoModelMeansTheDefault) {
  Gate gate = two();
  EXPECT_EQ(sent_body(gate(chat(R"({"n":1})", {echo}))), R"({"n":1,"model":"demo-small"})");
  Gate bare({provider("demo"), provider("other")});
  const Answer none = bare(chat(R"({"n":1})"));
  EXPECT_EQ(none.status, 400);
  EXPECT_THAT(none.message(), HasSubstr("names no model"));
}

TEST(ProviderStage, AnUnknownModelIsNotFoundWithNearNames) {
  Gate gate = two();
  const Answer answer = gate(chat(body_for("smrat")));
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.code(), "model_not_found");
  EXPECT_EQ(Doc(answer.text).text("/error/type"), "invalid_request_error");
  EXPECT_THAT(answer.message(), HasSubstr("Did you mean \"smart\"?"));
  EXPECT_EQ(answer.record.outcome, Outcome::client_error);
  EXPECT_EQ(answer.record.error_code, "model_not_found");
  EXPECT_EQ(answer.record.provider, "");
  EXPECT_EQ(answer.record.model, "");
}

TEST(ProviderStage, AnEndlessNameIsNoModel) {
  Gate gate({provider("demo")});
  const std::string name(5000, 'm');
  Ask in_query = get("/v1/realtime?model=" + name);
  for (const Answer& answer : {gate(chat(body_for("demo/" + name))), gate(std::move(in_query))}) {
    EXPECT_EQ(answer.status, 400);
    EXPECT_THAT(answer.message(), HasSubstr("1024 bytes"));
    EXPECT_TRUE(answer.record.model.empty());
  }
}

TEST(ProviderStage, ADropInPathNamesTheProvider) {
  Gate gate = two();
  Ask ask = chat(body_for("anything"), {echo});
  ask.target = "/providers/other/v1/chat/completions?a=1";
  const Answer answer = gate(std::move(ask));
  EXPECT_EQ(answer.fields.get("x-sluice-provider"), "other");
  EXPECT_EQ(sent_target(answer), "/v1/chat/completions?a=1");
  EXPECT_EQ(sent_body(answer), body_for("anything"));
}

TEST(ProviderStage, AHeaderNamesTheProviderAndIsNotSentOn) {
  Gate gate = two();
  const Answer answer = gate(chat(body_for("anything"), {echo, {"X-Sluice-Provider", "other"}}));
  EXPECT_EQ(answer.record.provider, "other");
  EXPECT_THAT(Doc(answer.text).json("/headers"), Not(HasSubstr("luice")));
}

TEST(ProviderStage, ARouteNamesTheProvider) {
  Gate gate = two();
  gate.route.provider = "other";
  EXPECT_EQ(gate(chat(body_for("anything"))).record.provider, "other");
  EXPECT_EQ(gate(get("/v1/files", {echo})).record.provider, "other");
}

TEST(ProviderStage, ANamedProviderIsNotPartOfTheModel) {
  Gate gate = two();
  const Answer answer = gate(chat(body_for("other/demo-large"), {echo, {"x-sluice-provider", "other"}}));
  EXPECT_EQ(sent_body(answer), body_for("demo-large"));
  EXPECT_EQ(answer.record.model, "demo-large");
  EXPECT_EQ(sent_body(gate(chat(body_for("vendor/model"), {echo, {"x-sluice-provider", "other"}}))),
            body_for("vendor/model"));
}

TEST(ProviderStage, ContradictingNamesAreAnError) {
  Gate gate = two();
  Ask ask = chat(body_for("x"), {{"x-sluice-provider", "demo"}});
  ask.target = "/providers/other/v1/chat/completions";
  const Answer answer = gate(std::move(ask));
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.message(), AllOf(HasSubstr("other"), HasSubstr("demo")));
}

TEST(ProviderStage, AnUnknownProviderIsNotFound) {
  Gate gate = two();
  EXPECT_EQ(gate(get("/providers/othr/v1/files")).status, 404);
  EXPECT_THAT(gate(get("/v1/files", {{"x-sluice-provider", "othr"}})).message(), HasSubstr("Did you mean \"other\"?"));
}

TEST(ProviderStage, WhatNamesNobodyGoesToTheOnlyProvider) {
  Gate single({provider("demo")});
  EXPECT_EQ(sent_target(single(get("/v1/files?limit=2&key=sk-client&after=x", {echo}))), "/v1/files?limit=2&after=x");

  Gate gate = two();
  const Answer answer = gate(get("/v1/files"));
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.message(), AllOf(HasSubstr("x-sluice-provider"), HasSubstr("demo, other")));
}

TEST(ProviderStage, AJsonRequestThatIsForNoModelGetsNone) {
  const std::string body = R"({"input_file_id":"file-1","endpoint":"/v1/chat/completions"})";
  const auto batch = [&] {
    Ask ask = chat(body, {echo});
    ask.target = "/v1/batches";
    return ask;
  };
  Gate single({provider("demo")}, {{"default", {{"demo", "demo-small", 1}}}});
  const Answer answer = single(batch());
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(sent_body(answer), body);
  EXPECT_FALSE(answer.record.usage.known);

  Gate gate = two();
  EXPECT_THAT(gate(batch()).message(), HasSubstr("x-sluice-provider"));
}

TEST(ProviderStage, AModelInTheQueryChoosesAndIsRenamed) {
  Gate gate = two();
  const Answer answer = gate(get("/v1/realtime?a=1&model=smart&key=sk-client", {echo}));
  EXPECT_EQ(sent_target(answer), "/v1/realtime?a=1&model=demo-large");
  EXPECT_EQ(answer.record.provider, "other");
  EXPECT_EQ(answer.record.model, "smart");
  EXPECT_EQ(gate(get("/v1/realtime?model=smrat")).status, 404);
}

TEST(ProviderStage, PathsOutsideTheApiAreNotFound) {
  Gate gate({provider("demo")});
  for (const char* path :
       {"/", "/v1", "/v2/chat/completions", "/v1x/files", "/providers/demo/files", "/providers/demo", "*"}) {
    const Answer answer = gate(get(path));
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_THAT(answer.message(), HasSubstr("/v1/")) << path;
  }
}

TEST(ProviderStage, NobodyWalksOutOfTheApi) {
  Gate gate({provider("demo")});
  for (const char* path : {"/v1/../admin", "/v1/files/..", "/v1/./files", "/v1/%2e%2E/x", "/providers/demo/v1/../../x",
                           "/v1/%2e%2e%2fadmin", "/v1/..%2Fadmin", "/v1/..%5cadmin", "/v1/..\\admin",
                           "/v1/..;x=1/admin", "/v1/..%2f%zz"}) {
    EXPECT_EQ(gate(get(path)).status, 400) << path;
  }
  for (const char* path : {"/v1/files/a..b/...", "/v1/files/org%2fname", "/v1/files/a;b"}) {
    EXPECT_EQ(gate(get(path, {echo})).status, 200) << path;
  }
}

TEST(ProviderStage, NobodyHasTheCredentialEchoed) {
  Gate gate({provider("demo")});
  for (const char* method : {"TRACE", "TRACK"}) {
    Ask ask = get("/v1/files", {echo});
    ask.method = method;
    const Answer answer = gate(std::move(ask));
    EXPECT_EQ(answer.status, 405) << method;
    EXPECT_EQ(answer.code(), "method_not_allowed") << method;
  }
}

TEST(ProviderStage, ABodyThatIsTooLargeIsRefusedWithTheBound) {
  Gate gate({provider("demo")});
  gate.route.max_body = 50;
  const Answer announced = gate(chat(body_for("demo-small")));
  EXPECT_EQ(announced.status, 413);
  EXPECT_EQ(announced.code(), "too_large");
  EXPECT_THAT(announced.message(), HasSubstr("50"));

  Ask growing = chat("", {{"content-type", "application/json"}});
  growing.stream = std::make_unique<ScriptedBody>(std::vector<Step>(10, std::string("{\"aaaaaaaaaa\":")));
  EXPECT_EQ(gate(std::move(growing)).status, 413);
  EXPECT_EQ(announced.record.outcome, Outcome::client_error);
}

TEST(ProviderStage, BrokenJsonIsRefused) {
  Gate gate({provider("demo")});
  for (const char* body : {"{", "[]", "hello", R"({"model":"x",})", R"({"model":"x"} trailing)"}) {
    const Answer answer = gate(chat(body));
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_EQ(answer.code(), "bad_request") << body;
    EXPECT_THAT(answer.message(), HasSubstr("not valid JSON")) << body;
  }
}

TEST(ProviderStage, WrongTypesAreRefusedByName) {
  Gate gate({provider("demo")});
  const auto complaint = [&](const std::string& body) { return gate(chat(body)).message(); };
  EXPECT_THAT(complaint(R"({"model":5})"), HasSubstr("'model' must be a string"));
  EXPECT_THAT(complaint(R"({"model":"x","stream":"yes"})"), HasSubstr("'stream' must be true or false"));
  EXPECT_THAT(complaint(R"({"model":"x","stream_options":7})"), HasSubstr("'stream_options' must be an object"));
  EXPECT_THAT(complaint(R"({"model":"x","n":0})"), HasSubstr("'n' must be a positive whole number"));
}

TEST(ProviderStage, ABodyThatBreaksIsTheClientsFault) {
  Gate gate({provider("demo")});
  Ask ask = chat("", {{"content-type", "application/json"}});
  const Error gone{ErrorKind::closed, ErrorSource::client, Retryable::no, "the client closed the connection"};
  ask.stream = std::make_unique<ScriptedBody>(std::vector<Step>{std::string("{"), gone});
  const Answer answer = gate(std::move(ask));
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.record.outcome, Outcome::client_error);
}

TEST(ProviderStage, UsageIsAskedForAndHidden) {
  Gate gate({provider("demo")});
  const Answer asked = gate(chat(body_for("demo-small", R"(,"stream":true)"), {echo}));
  EXPECT_EQ(sent_body(asked), body_for("demo-small", R"(,"stream":true,"stream_options":{"include_usage":true})"));

  const Answer answer = gate(chat(body_for("demo-small", R"(,"stream":true)")));
  EXPECT_THAT(answer.text, testing::EndsWith("data: [DONE]\n\n"));
  EXPECT_THAT(answer.text, Not(HasSubstr("prompt_tokens")));
  EXPECT_TRUE(answer.record.stream);
  EXPECT_TRUE(answer.record.usage.known);
  EXPECT_FALSE(answer.record.usage.estimated);
  EXPECT_EQ(answer.record.outcome, Outcome::ok);
}

TEST(ProviderStage, UsageThatTheClientAskedForStays) {
  Gate gate({provider("demo")});
  const std::string body = body_for("demo-small", R"(,"stream":true,"stream_options":{"include_usage":true})");
  EXPECT_EQ(sent_body(gate(chat(body, {echo}))), body);
  const Answer answer = gate(chat(body));
  EXPECT_THAT(answer.text, HasSubstr("prompt_tokens"));
  EXPECT_FALSE(answer.record.usage.estimated);
}

TEST(ProviderStage, OtherStreamOptionsSurvive) {
  Gate gate({provider("demo")});
  const Answer answer = gate(
      chat(body_for("demo-small", R"(,"stream":true,"stream_options":{"x":[1.0],"include_usage":false})"), {echo}));
  EXPECT_EQ(sent_body(answer),
            body_for("demo-small", R"(,"stream":true,"stream_options":{"x":[1.0],"include_usage":true})"));
}

TEST(ProviderStage, AResponsesStreamHasNoStreamOptions) {
  Gate gate({provider("demo")});
  const std::string body = R"({"model":"demo-small","input":"Hello","stream":true})";
  Ask ask = chat(body, {echo});
  ask.target = "/v1/responses";
  EXPECT_EQ(sent_body(gate(std::move(ask))), body);
  ask = chat(body);
  ask.target = "/v1/responses";
  const Answer answer = gate(std::move(ask));
  EXPECT_THAT(answer.text, HasSubstr("response.completed"));
  EXPECT_FALSE(answer.record.usage.estimated);
  EXPECT_GT(answer.record.usage.completion, 0u);
}

TEST(ProviderStage, OtherBodiesStreamThrough) {
  Gate gate({provider("demo")});
  gate.route.max_body = 10;
  Ask ask = chat("", {{"content-type", "multipart/form-data; boundary=x"}});
  ask.target = "/v1/files";
  ask.stream = std::make_unique<ScriptedBody>(std::vector<Step>(1000, std::string(1000, 'x')));
  const Answer answer = gate(std::move(ask));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(Doc(answer.text).number("/bytes"), 1'000'000);
  EXPECT_EQ(answer.record.bytes_in, 1'000'000u);
  EXPECT_FALSE(answer.record.usage.known);
}

// The mock shows no credentials, only what tells them apart.
TEST(ProviderStage, CredentialsOfTheClientStayHere) {
  ProviderConfig config = provider("demo");
  config.api_keys = {Secret("sk-ours")};
  Gate gate({config});
  const std::string plain = gate(chat(body_for("x"), {echo})).text;
  EXPECT_THAT(plain, HasSubstr("authorization"));
  const Answer answer =
      gate(chat(body_for("x"), {echo, {"Authorization", "Bearer sk-client"}, {"api-key", "sk-client"}}));
  EXPECT_EQ(answer.text, plain);
}

TEST(ProviderStage, AnErrorOfTheProviderPassesWithItsStatusAndBody) {
  Gate gate({provider("demo")});
  const Answer answer = gate(chat(body_for("x"), {{"x-mock-fault", "status=429;retry-after=2"}}));
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.fields.get("retry-after"), "2");
  EXPECT_EQ(Doc(answer.text).text("/error/type"), "requests");
  EXPECT_FALSE(answer.record.usage.known);
}

TEST(ProviderStage, AProviderThatCannotBeReachedIsABadGateway) {
  Gate gate({provider("gone", "http://127.0.0.1:1/v1")});
  const Answer answer = gate(chat(body_for("x")));
  EXPECT_EQ(answer.status, 502);
  EXPECT_EQ(answer.code(), "connect_failed");
  EXPECT_EQ(answer.record.outcome, Outcome::upstream_error);
  EXPECT_EQ(answer.record.provider, "gone");
  EXPECT_FALSE(answer.record.usage.known);
}

TEST(ProviderStage, ABrokenStreamNeverEndsCleanly) {
  Gate gate({provider("demo")});
  for (const char* fault : {"reset-after=2", "cut-after=2", "truncate-after=2"}) {
    const Answer answer = gate(chat(body_for("demo-small", R"(,"stream":true)"), {{"x-mock-fault", fault}}));
    EXPECT_EQ(answer.status, 200) << fault;
    EXPECT_THAT(answer.text, AllOf(HasSubstr("data: {\"error\":{"), Not(HasSubstr("[DONE]")))) << fault;
    EXPECT_EQ(answer.record.outcome, Outcome::broken) << fault;
    EXPECT_TRUE(answer.record.usage.estimated) << fault;
  }
}

TEST(ProviderStage, EndedWhileItWaitsForTheProvider) {
  Gate gate({provider("demo")});
  gate.meanwhile = [](Exchange& exchange) { exchange.cancel(ErrorKind::draining, "The gateway is shutting down."); };
  const Answer answer = gate(chat(body_for("x"), {{"x-mock-first-token", "1h"}}));
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.code(), "draining");
  EXPECT_TRUE(answer.fields.has("retry-after"));
  EXPECT_EQ(answer.record.outcome, Outcome::ended);
}

TEST(ProviderStage, EndedWhileItsBodyComesItAsksNobody) {
  Gate gate({provider("demo")});
  bool ended = false;
  gate.meanwhile = [&ended](Exchange& exchange) {
    exchange.cancel(ErrorKind::cancelled, "The operator ended this request.");
    ended = true;
  };
  Ask ask = chat("", {{"content-type", "application/json"}, {"x-mock-first-token", "1h"}});
  const auto until_ended = [&ended] { return ended; };
  ask.stream = std::make_unique<ScriptedBody>(std::vector<Step>{until_ended, body_for("x")});
  const Answer answer = gate(std::move(ask));
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.code(), "cancelled");
  EXPECT_EQ(answer.record.outcome, Outcome::ended);
}

TEST(ProviderStage, ListsModelsItself) {
  Gate gate = two();
  const Answer answer = gate(get("/v1/models"));
  EXPECT_THAT(answer.text,
              AllOf(HasSubstr("\"smart\""), HasSubstr("\"demo/demo-small\""), HasSubstr("\"other/demo-small\"")));
  EXPECT_FALSE(answer.fields.has("x-sluice-provider"));
  EXPECT_THAT(gate(get("/providers/demo/v1/models")).text, AllOf(HasSubstr("\"demo-small\""), Not(HasSubstr("smart"))));
}

}  // namespace
}  // namespace sluice
