#include <fmt/format.h>
#include <gmock/gmock.h>

#include "provider/mock/test_client.h"

namespace sluice::mock {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::string hello(std::string_view more = "", std::string_view text = "Hello, who are you?") {
  return fmt::format(R"({{"model":"demo-small","messages":[{{"role":"user","content":"{}"}}]{}}})", text, more);
}

/// What the deltas of one choice put together give.
std::string content_of(const Got& got, int choice = 0) {
  std::string all;
  for (const std::string& event : got.events()) {
    Doc chunk(event);
    if (chunk.valid() && chunk.number("/choices/0/index") == choice && chunk.has("/choices/0/delta/content")) {
      all += chunk.text("/choices/0/delta/content");
    }
  }
  return all;
}

TEST(MockChat, AnswersWhole) {
  MockServer server({});
  const Got got = chat(server, hello());
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.fields.get("content-type"), "application/json");
  EXPECT_EQ(got.length, got.text.size());
  Doc answer(got.text);
  EXPECT_EQ(answer.text("/object"), "chat.completion");
  EXPECT_THAT(answer.text("/id"), StartsWith("chatcmpl-mock"));
  EXPECT_EQ(answer.text("/model"), "demo-small");
  EXPECT_EQ(answer.text("/choices/0/message/role"), "assistant");
  EXPECT_THAT(answer.text("/choices/0/message/content"), HasSubstr("Hello, who are you?"));
  EXPECT_EQ(answer.text("/choices/0/finish_reason"), "stop");
  EXPECT_EQ(answer.number("/usage/total_tokens"),
            answer.number("/usage/prompt_tokens") + answer.number("/usage/completion_tokens"));
  EXPECT_EQ(answer.number("/usage/prompt_tokens"), 4 + 6);
}

TEST(MockChat, GivesTheLimitsAsFields) {
  MockServer server({});
  const Got got = chat(server, hello());
  EXPECT_TRUE(got.fields.has("x-request-id"));
  for (const std::string_view kind : {"requests", "tokens"}) {
    for (const std::string_view what : {"limit", "remaining", "reset"}) {
      EXPECT_TRUE(got.fields.has(fmt::format("x-ratelimit-{}-{}", what, kind)));
    }
  }
}

TEST(MockChat, StreamsInTheGrammarOfTheProtocol) {
  MockServer server({});
  const Got got = chat(server, hello(R"(,"stream":true)"), {{"x-mock-tokens", "3"}});
  EXPECT_THAT(std::string(got.fields.get("content-type")), StartsWith("text/event-stream"));
  EXPECT_FALSE(got.length);
  const std::vector<std::string> events = got.events();
  ASSERT_EQ(events.size(), 6U);
  EXPECT_EQ(got.pieces.size(), 6U) << "an event at a time";
  for (std::size_t i = 0; i < 5; ++i) {
    Doc chunk(events[i]);
    EXPECT_EQ(chunk.text("/object"), "chat.completion.chunk");
    EXPECT_EQ(chunk.text("/id"), Doc(events[0]).text("/id"));
    EXPECT_EQ(chunk.json("/choices/0/finish_reason"), i == 4 ? R"("stop")" : "null");
    EXPECT_FALSE(chunk.has("/usage"));
  }
  EXPECT_EQ(Doc(events[0]).text("/choices/0/delta/role"), "assistant");
  EXPECT_EQ(Doc(events[0]).text("/choices/0/delta/content"), "");
  EXPECT_EQ(Doc(events[4]).json("/choices/0/delta"), "{}");
  EXPECT_EQ(events[5], "[DONE]");
}

TEST(MockChat, StreamsTheSameTextThatItGivesWhole) {
  MockServer server({});
  const Got whole = chat(server, hello());
  const Got streamed = chat(server, hello(R"(,"stream":true)"));
  EXPECT_EQ(content_of(streamed), Doc(whole.text).text("/choices/0/message/content"));
}

TEST(MockChat, SendsUsageLastWhenAskedForIt) {
  MockServer server({});
  const Got got = chat(server, hello(R"(,"stream":true,"stream_options":{"include_usage":true})"));
  const std::vector<std::string> events = got.events();
  Doc usage(events[events.size() - 2]);
  EXPECT_EQ(usage.size("/choices"), 0U);
  EXPECT_EQ(usage.json("/usage"), Doc(chat(server, hello()).text).json("/usage"));
  EXPECT_EQ(Doc(events[0]).json("/usage"), "null");
  EXPECT_EQ(events.back(), "[DONE]");
}

TEST(MockChat, IsDeterministicBySeedAndQuestion) {
  MockServer one({.seed = 5});
  MockServer same({.seed = 5});
  MockServer other({.seed = 6});
  const std::string text = chat(one, hello()).text;
  EXPECT_EQ(text, chat(one, hello()).text);
  EXPECT_EQ(text, chat(same, hello()).text);
  EXPECT_NE(text, chat(other, hello()).text);
  EXPECT_NE(text, chat(one, hello("", "Hello, who am I?")).text);
  EXPECT_NE(text, chat(one, hello(R"(,"seed":9)")).text);
}

TEST(MockChat, EchoesByModel) {
  MockServer server({});
  const Got got = chat(
      server, R"({"model":"mock-echo","messages":[{"role":"user","content":"first"},{"role":"assistant","content":"x"},
                  {"role":"user","content":"say \"这\" \n\u0001"}]})");
  EXPECT_EQ(Doc(got.text).text("/choices/0/message/content"), "say \"这\" \n\x01");
}

TEST(MockChat, NeverCutsACharacterInAStream) {
  MockServer server({});
  const std::string asked = "缓存是什么? naïve café 😀 end";
  const Got got = chat(
      server,
      fmt::format(R"({{"model":"mock-echo","stream":true,"messages":[{{"role":"user","content":"{}"}}]}})", asked));
  EXPECT_EQ(content_of(got), asked);
}

TEST(MockChat, MakesAsManyTokensAsWished) {
  const auto tokens = [](std::string_view model, const MockOptions& options, FieldList fields, std::string_view more) {
    MockServer server(options);
    const Got got =
        chat(server, fmt::format(R"({{"model":"{}","messages":[{{"role":"user","content":"hi"}}]{}}})", model, more),
             fields);
    Doc answer(got.text);
    EXPECT_EQ(answer.text("/choices/0/finish_reason"), "stop");
    return answer.number("/usage/completion_tokens");
  };
  EXPECT_EQ(tokens("m", {.tokens = 7}, {}, ""), 7);
  EXPECT_EQ(tokens("mock-200-tokens", {.tokens = 7}, {}, ""), 200);
  EXPECT_EQ(tokens("mock-200-tokens", {}, {}, R"(,"metadata":{"mock_tokens":"30"})"), 30);
  EXPECT_EQ(tokens("mock-200-tokens", {}, {{"x-mock-tokens", "500"}}, R"(,"metadata":{"mock_tokens":30})"), 500);
  EXPECT_EQ(tokens("m", {}, {{"x-mock-tokens", "0"}}, ""), 0);
}

TEST(MockChat, StopsAtLimitsAndStopTexts) {
  MockServer server({});
  Doc limited(chat(server, hello(R"(,"max_tokens":4)")).text);
  EXPECT_EQ(limited.text("/choices/0/finish_reason"), "length");
  EXPECT_EQ(limited.number("/usage/completion_tokens"), 4);
  Doc newer(chat(server, hello(R"(,"max_completion_tokens":5,"max_tokens":4)")).text);
  EXPECT_EQ(newer.number("/usage/completion_tokens"), 5);
  Doc stopped(chat(server, hello(R"(,"stop":["nowhere","who"])")).text);
  EXPECT_EQ(stopped.text("/choices/0/message/content"), "You said: \"Hello, ");
  EXPECT_EQ(stopped.text("/choices/0/finish_reason"), "stop");
}

TEST(MockChat, GivesSeveralChoices) {
  MockServer server({});
  Doc whole(chat(server, hello(R"(,"n":3)")).text);
  EXPECT_EQ(whole.size("/choices"), 3U);
  EXPECT_NE(whole.text("/choices/0/message/content"), whole.text("/choices/1/message/content"));
  const Got streamed = chat(server, hello(R"(,"n":3,"stream":true)"));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(content_of(streamed, i), whole.text(fmt::format("/choices/{}/message/content", i)));
  }
}

constexpr std::string_view tools =
    R"(,"tools":[{"type":"function","function":{"name":"weather","parameters":{"type":"object","properties":{)"
    R"("city":{"type":"string"},"days":{"type":"integer"},"unit":{"enum":["C","F"]},"where":{"type":["object","null"],)"
    R"("properties":{"lat":{"type":"number"}}},"tags":{"type":"array","items":{"type":"boolean"}}}}}},)"
    R"({"type":"function","function":{"name":"weather_now"}}])";
constexpr std::string_view arguments = R"({"city":"mock city","days":7,"unit":"C","where":{"lat":1.5},"tags":[true]})";

TEST(MockChat, CallsToolsThatTheMessageNames) {
  MockServer server({});
  Doc plain(chat(server, hello(tools)).text);
  EXPECT_EQ(plain.text("/choices/0/finish_reason"), "stop");

  Doc called(chat(server, hello(tools, "please call tool weather and then call tool weather_now.")).text);
  EXPECT_EQ(called.text("/choices/0/finish_reason"), "tool_calls");
  EXPECT_EQ(called.json("/choices/0/message/content"), "null");
  EXPECT_EQ(called.size("/choices/0/message/tool_calls"), 2U);
  EXPECT_EQ(called.text("/choices/0/message/tool_calls/0/function/name"), "weather");
  EXPECT_EQ(called.text("/choices/0/message/tool_calls/0/function/arguments"), arguments);
  EXPECT_THAT(called.text("/choices/0/message/tool_calls/0/id"), StartsWith("call_"));
  EXPECT_EQ(called.text("/choices/0/message/tool_calls/1/function/arguments"), "{}");

  Doc one(chat(server, hello(tools, "call tool weather_now")).text);
  EXPECT_EQ(one.size("/choices/0/message/tool_calls"), 1U);
}

TEST(MockChat, ObeysToolChoice) {
  MockServer server({});
  const auto calls = [&](std::string_view choice, std::string_view text) {
    Doc answer(chat(server, hello(fmt::format(R"({},"tool_choice":{})", tools, choice), text)).text);
    return answer.size("/choices/0/message/tool_calls");
  };
  EXPECT_EQ(calls(R"("none")", "call tool weather"), 0U);
  EXPECT_EQ(calls(R"("auto")", "call tool weather"), 1U);
  EXPECT_EQ(calls(R"("required")", "hi"), 1U);
  EXPECT_EQ(calls(R"({"type":"function","function":{"name":"weather_now"}})", "hi"), 1U);
}

TEST(MockChat, StreamsToolCallsInPieces) {
  MockServer server({});
  const Got got =
      chat(server, hello(fmt::format(R"({},"stream":true)", tools), "call tool weather, call tool weather_now"));
  std::vector<std::string> names;
  std::vector<std::string> gathered(2);
  for (const std::string& event : got.events()) {
    Doc chunk(event);
    if (!chunk.valid() || !chunk.has("/choices/0/delta/tool_calls")) continue;
    if (chunk.has("/choices/0/delta/tool_calls/0/id"))
      names.push_back(chunk.text("/choices/0/delta/tool_calls/0/function/name"));
    gathered.at(chunk.number("/choices/0/delta/tool_calls/0/index")) +=
        chunk.text("/choices/0/delta/tool_calls/0/function/arguments");
  }
  EXPECT_THAT(names, ElementsAre("weather", "weather_now"));
  EXPECT_THAT(gathered, ElementsAre(std::string(arguments), "{}"));
  EXPECT_THAT(got.text, HasSubstr(R"("finish_reason":"tool_calls")"));
}

TEST(MockChat, AnswersToWhatAToolSaid) {
  MockServer server({});
  const Got got = chat(server, fmt::format(R"({{"model":"m","messages":[{{"role":"user","content":"call tool weather"}},
      {{"role":"assistant","content":null,"tool_calls":[]}},{{"role":"tool","tool_call_id":"x","content":"12 degrees"}}]{}}})",
                                           tools));
  EXPECT_THAT(Doc(got.text).text("/choices/0/message/content"), StartsWith("The tool said: \"12 degrees\""));
}

TEST(MockChat, AnswersInJsonWhenAskedTo) {
  MockServer server({});
  Doc free(chat(server, hello(R"(,"response_format":{"type":"json_object"})")).text);
  EXPECT_TRUE(Doc(free.text("/choices/0/message/content")).valid());
  Doc bound(chat(server, hello(R"(,"response_format":{"type":"json_schema","json_schema":{"name":"x","schema":
      {"type":"object","properties":{"ok":{"type":"boolean"}}}}})"))
                .text);
  EXPECT_EQ(bound.text("/choices/0/message/content"), R"({"ok":true})");
}

TEST(MockChat, CountsImagesAndParts) {
  MockServer server({});
  const Got got = chat(server, R"({"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"look"},
      {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},{"type":"image_url","image_url":{"url":"x"}}]}]})");
  Doc answer(got.text);
  EXPECT_THAT(answer.text("/choices/0/message/content"), AllOf(HasSubstr("look"), HasSubstr("Images seen: 2.")));
  EXPECT_EQ(answer.number("/usage/prompt_tokens"), 4 + 1 + 2 * 85);
}

TEST(MockChat, ReportsCachedAndReasoningTokensOnDemand) {
  MockServer server({});
  Doc answer(
      chat(server, hello(), {{"x-mock-tokens", "5"}, {"x-mock-cached-tokens", "8"}, {"x-mock-reasoning-tokens", "20"}})
          .text);
  EXPECT_EQ(answer.number("/usage/prompt_tokens_details/cached_tokens"), 8);
  EXPECT_EQ(answer.number("/usage/completion_tokens_details/reasoning_tokens"), 20);
  EXPECT_EQ(answer.number("/usage/completion_tokens"), 25);
}

TEST(MockChat, RefusesInOpenAisForm) {
  MockServer server({});
  struct Case {
    std::string body;
    std::string message;
    std::string param;
    std::string code;
  };
  for (const Case& wrong : {
           Case{"{", "We could not parse the JSON body", "null", "null"},
           Case{"", "We could not parse the JSON body", "null", "null"},
           Case{"[]", "it is not an object", "null", "null"},
           Case{R"({"messages":[]})", "You must provide a model parameter.", "null", "null"},
           Case{R"({"model":"m"})", "Missing required parameter: 'messages'.", R"("messages")",
                R"("missing_required_parameter")"},
           Case{R"({"model":"m","messages":[]})", "empty array", R"("messages")", R"("empty_array")"},
           Case{hello(R"(,"n":0)"), "Invalid 'n'", R"("n")", R"("integer_out_of_range")"},
       }) {
    const Got got = chat(server, wrong.body);
    EXPECT_EQ(got.status, 400);
    Doc answer(got.text);
    EXPECT_THAT(answer.text("/error/message"), HasSubstr(wrong.message));
    EXPECT_EQ(answer.text("/error/type"), "invalid_request_error");
    EXPECT_EQ(answer.json("/error/param"), wrong.param);
    EXPECT_EQ(answer.json("/error/code"), wrong.code);
  }
}

TEST(MockCompletions, AnswersEachPrompt) {
  MockServer server({});
  const Got got =
      ask(server, request("POST", "/v1/completions", R"({"model":"mock-echo","prompt":["one","two"],"n":2})"));
  Doc answer(got.text);
  EXPECT_EQ(answer.text("/object"), "text_completion");
  ASSERT_EQ(answer.size("/choices"), 4U);
  EXPECT_EQ(answer.text("/choices/1/text"), "one");
  EXPECT_EQ(answer.text("/choices/2/text"), "two");
  EXPECT_EQ(answer.number("/choices/3/index"), 3);
}

TEST(MockCompletions, Streams) {
  MockServer server({});
  const Got got =
      ask(server,
          request("POST", "/v1/completions",
                  R"({"model":"mock-echo","prompt":"one two","stream":true,"stream_options":{"include_usage":true}})"));
  const std::vector<std::string> events = got.events();
  ASSERT_EQ(events.size(), 5U);
  EXPECT_EQ(Doc(events[0]).text("/choices/0/text"), "one");
  EXPECT_EQ(Doc(events[1]).text("/choices/0/text"), " two");
  EXPECT_EQ(Doc(events[2]).text("/choices/0/finish_reason"), "stop");
  EXPECT_EQ(Doc(events[3]).number("/usage/completion_tokens"), 2);
  EXPECT_EQ(events[4], "[DONE]");
  EXPECT_THAT(ask(server, request("POST", "/v1/completions", R"({"model":"m"})")).text, HasSubstr("'prompt'"));
}

}  // namespace
}  // namespace sluice::mock
