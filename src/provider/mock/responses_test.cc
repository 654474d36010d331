#include <fmt/format.h>
#include <gmock/gmock.h>

#include "provider/mock/test_client.h"

namespace sluice::mock {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

Got respond(MockServer& server, std::string body, FieldList fields = {}) {
  return ask(server, request("POST", "/v1/responses", std::move(body), fields));
}

std::vector<std::string> types_of(const Got& got) {
  std::vector<std::string> types;
  http::SseSplitter splitter;
  const auto collect = [&types](const http::SseEvent& event) { types.emplace_back(event.type); };
  splitter.feed(got.text, collect);
  return types;
}

TEST(MockResponses, AnswersWhole) {
  MockServer server({});
  const Got got = respond(server, R"({"model":"mock-echo","instructions":"be brief","input":"hello there"})");
  Doc answer(got.text);
  EXPECT_EQ(answer.text("/object"), "response");
  EXPECT_EQ(answer.text("/status"), "completed");
  EXPECT_EQ(answer.text("/output/0/type"), "message");
  EXPECT_EQ(answer.text("/output/0/content/0/text"), "hello there");
  EXPECT_EQ(answer.number("/usage/input_tokens"), 4 + 2 + 4 + 2);
  EXPECT_EQ(answer.number("/usage/output_tokens"), 2);
}

TEST(MockResponses, ReadsItems) {
  MockServer server({});
  const Got message = respond(server, R"({"model":"mock-echo","input":[{"role":"developer","content":"x"},
      {"role":"user","content":[{"type":"input_text","text":"look"},{"type":"input_image","image_url":"x"}]}]})");
  EXPECT_EQ(Doc(message.text).text("/output/0/content/0/text"), "look");
  const Got result = respond(server, R"({"model":"m","input":[{"role":"user","content":"x"},
      {"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
      {"type":"function_call_output","call_id":"c","output":"42"}]})");
  EXPECT_THAT(Doc(result.text).text("/output/0/content/0/text"), StartsWith("The tool said: \"42\"."));
}

TEST(MockResponses, StreamsTypedEvents) {
  MockServer server({});
  const Got got = respond(server, R"({"model":"mock-echo","input":"one two","stream":true})");
  EXPECT_THAT(types_of(got),
              ElementsAre("response.created", "response.in_progress", "response.output_item.added",
                          "response.content_part.added", "response.output_text.delta", "response.output_text.delta",
                          "response.output_text.done", "response.content_part.done", "response.output_item.done",
                          "response.completed"));
  const std::vector<std::string> events = got.events();
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(Doc(events[i]).number("/sequence_number"), static_cast<std::int64_t>(i));
    EXPECT_EQ(Doc(events[i]).text("/type"), types_of(got)[i]);
  }
  EXPECT_EQ(Doc(events[0]).text("/response/status"), "in_progress");
  EXPECT_EQ(Doc(events[4]).text("/delta") + Doc(events[5]).text("/delta"), "one two");
  EXPECT_EQ(Doc(events[6]).text("/text"), "one two");
  EXPECT_EQ(Doc(events[4]).text("/item_id"), Doc(events[2]).text("/item/id"));
  const Got whole = respond(server, R"({"model":"mock-echo","input":"one two"})");
  EXPECT_EQ(Doc(events[9]).json("/response"), whole.text) << "the last event holds what the whole answer says";
}

TEST(MockResponses, SaysWhenItWasCut) {
  MockServer server({});
  const Got got = respond(server, R"({"model":"m","input":"hello","stream":true,"max_output_tokens":2})");
  EXPECT_EQ(types_of(got).back(), "response.incomplete");
  Doc last(got.events().back());
  EXPECT_EQ(last.text("/response/status"), "incomplete");
  EXPECT_EQ(last.text("/response/incomplete_details/reason"), "max_output_tokens");
}

TEST(MockResponses, CallsTools) {
  MockServer server({});
  constexpr std::string_view body =
      R"({{"model":"m","input":"call tool f and call tool g","stream":{},"tools":[
         {{"type":"function","name":"f","parameters":{{"type":"object","properties":{{"a":{{"type":"integer"}}}}}}}},{{"type":"function","name":"g"}}]}})";
  Doc whole(respond(server, fmt::format(fmt::runtime(body), false)).text);
  EXPECT_EQ(whole.size("/output"), 2U);
  EXPECT_EQ(whole.text("/output/0/type"), "function_call");
  EXPECT_EQ(whole.text("/output/0/name"), "f");
  EXPECT_EQ(whole.text("/output/0/arguments"), R"({"a":7})");
  EXPECT_THAT(whole.text("/output/0/call_id"), StartsWith("call_"));

  const Got streamed = respond(server, fmt::format(fmt::runtime(body), true));
  std::vector<std::string> gathered(2);
  for (const std::string& event : streamed.events()) {
    Doc chunk(event);
    if (chunk.text("/type") == "response.function_call_arguments.delta") {
      gathered.at(chunk.number("/output_index")) += chunk.text("/delta");
    }
  }
  EXPECT_THAT(gathered, ElementsAre(R"({"a":7})", "{}"));
  EXPECT_EQ(Doc(streamed.events().back()).json("/response/output"), whole.json("/output"));
}

TEST(MockResponses, FailsInItsOwnForm) {
  MockServer server({});
  EXPECT_THAT(respond(server, R"({"model":"m"})").text, HasSubstr("'input'"));
  const Got got =
      respond(server, R"({"model":"m","input":"hello","stream":true})", {{"x-mock-fault", "error-event-after=3"}});
  EXPECT_EQ(types_of(got).size(), 4U);
  EXPECT_EQ(types_of(got).back(), "error");
  EXPECT_EQ(Doc(got.events().back()).text("/code"), "server_error");
  const Got unfinished =
      respond(server, R"({"model":"m","input":"hello","stream":true})", {{"x-mock-fault", "no-done"}});
  EXPECT_EQ(types_of(unfinished).back(), "response.output_item.done");
}

}  // namespace
}  // namespace sluice::mock
