#include "llm/dialect/openai/request_view.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::llm::openai {
namespace {

namespace json = boost::json;
using testing::AllOf;
using testing::HasSubstr;

RequestView view_of(std::string_view text) {
  Result<RequestView> view = RequestView::parse(text);
  EXPECT_TRUE(view) << text << ": " << view.error().text;
  return view ? std::move(*view) : RequestView();
}

TEST(RequestView, ReadsWhatTheGatewayNeeds) {
  const std::string text =
      R"({"model":"gpt-4o","messages":[{"role":"user","content":"Hi"}],"stream":true,"stream_options":{"include_usage":true},"n":3})";
  const RequestView view = view_of(text);
  EXPECT_EQ(view.model(), "gpt-4o");
  EXPECT_TRUE(view.stream());
  EXPECT_TRUE(view.wants_usage());
  EXPECT_EQ(view.choices(), 3u);
  EXPECT_EQ(view.prompt_text(), R"([{"role":"user","content":"Hi"}])");
}

TEST(RequestView, WhatIsNotThereHasItsDefault) {
  for (const char* text :
       {"{}", R"({"stream":null,"stream_options":null,"n":null})", R"({"stream":false,"stream_options":{}})"}) {
    const RequestView view = view_of(text);
    EXPECT_EQ(view.model(), "");
    EXPECT_FALSE(view.stream());
    EXPECT_FALSE(view.wants_usage());
    EXPECT_EQ(view.choices(), 1u);
    EXPECT_EQ(view.prompt_text(), "");
  }
}

TEST(RequestView, ReadsEscapedAndRepeatedMembersAsParsersDo) {
  EXPECT_EQ(view_of(R"({"mod\u0065l":"a\u002fb\"c"})").model(), "a/b\"c");
  EXPECT_EQ(view_of(R"({"model":"a","model":"b"})").model(), "b");
  EXPECT_EQ(view_of(R"({"prompt":"abc"})").prompt_text(), "\"abc\"");
  EXPECT_EQ(view_of(R"({"input":["a"]})").prompt_text(), "[\"a\"]");
}

void expect_refused(std::string_view text, std::string_view field, std::string_view wanted) {
  const Result<RequestView> view = RequestView::parse(text);
  ASSERT_FALSE(view) << text;
  EXPECT_EQ(view.error().kind, ErrorKind::bad_request);
  EXPECT_EQ(view.error().source, ErrorSource::client);
  EXPECT_THAT(view.error().text, AllOf(HasSubstr(std::string(field)), HasSubstr(std::string(wanted)))) << text;
}

TEST(RequestView, AWrongTypeIsRefusedByItsField) {
  for (const char* value : {"1", "null", "[]", "{}", "true"}) {
    expect_refused(std::string(R"({"model":)") + value + "}", "'model'", "a string");
  }
  for (const char* value : {"1", "\"true\"", "[]", "tru"}) {
    expect_refused(std::string(R"({"stream":)") + value + "}", "'stream'", "true or false");
  }
  for (const char* value : {"1", "true", "[]", "\"x\""}) {
    expect_refused(std::string(R"({"stream_options":)") + value + "}", "'stream_options'", "an object");
  }
  for (const char* value : {"0", "-1", "1.5", "1e9", "\"2\"", "[1]", "99999999999999999999999"}) {
    expect_refused(std::string(R"({"n":)") + value + "}", "'n'", "a positive whole number");
  }
}

TEST(RequestView, WhatIsNoObjectIsRefused) {
  for (const char* text : {"", "[]", "null", "{\"model\":\"a\"", "{\"model\" \"a\"}", "model=a"}) {
    expect_refused(text, "JSON", "expected at byte");
  }
}

TEST(RequestView, UnchangedItIsTheSameBytes) {
  const std::string text = " { \"model\" : \"a\\u0062\" , \"x\":1.0 }\n";
  EXPECT_EQ(view_of(text).rewritten("ab", false), text);
}

TEST(RequestView, ChangesTheModelAlone) {
  EXPECT_EQ(view_of(R"({"x":1.0,"model":"a" , "y":[ ]})").rewritten("b\"c", false),
            R"({"x":1.0,"model":"b\"c" , "y":[ ]})");
  EXPECT_EQ(view_of(R"({"model":"a","model":"b"})").rewritten("c", false), R"({"model":"c","model":"c"})");
  EXPECT_EQ(view_of("{}").rewritten("c", false), R"({"model":"c"})");
}

TEST(RequestView, AsksForUsageWhateverTheClientSaid) {
  const auto with_usage = [](std::string_view text) { return view_of(text).rewritten("m", true); };
  EXPECT_EQ(with_usage(R"({"model":"m","stream":true})"),
            R"({"model":"m","stream":true,"stream_options":{"include_usage":true}})");
  EXPECT_EQ(with_usage(R"({"stream_options":null,"model":"m"})"),
            R"({"stream_options":{"include_usage":true},"model":"m"})");
  EXPECT_EQ(with_usage(R"({"stream_options":{"include_usage":false,"a":1e2},"model":"x"})"),
            R"({"stream_options":{"include_usage":true,"a":1e2},"model":"m"})");
  const json::value both = json::parse(with_usage("{}"));
  EXPECT_EQ(both.at("model").as_string(), "m");
  EXPECT_TRUE(both.at("stream_options").at("include_usage").as_bool());
}

TEST(RequestView, TheAskingIsSeenAgain) {
  const std::string text = R"({"model":"m","stream":true,"stream_options":{"include_usage":null}})";
  EXPECT_FALSE(view_of(text).wants_usage());
  const std::string asking = view_of(text).rewritten("m", true);
  EXPECT_TRUE(view_of(asking).wants_usage());
  EXPECT_EQ(view_of(asking).rewritten("m", true), asking);
}

TEST(ModelOf, IsEmptyWhereThereIsNone) {
  EXPECT_EQ(model_of(R"({"model":"a"})"), "a");
  EXPECT_EQ(model_of(R"({"model":1})"), "");
  EXPECT_EQ(model_of("--boundary"), "");
}

}  // namespace
}  // namespace sluice::llm::openai
