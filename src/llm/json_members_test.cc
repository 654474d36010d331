#include "llm/json_members.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::llm {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

std::vector<std::pair<std::string, std::string>> pairs_of(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> pairs;
  const auto members = json_members(text);
  EXPECT_TRUE(members) << text << ": " << members.error().text;
  if (!members) return pairs;
  for (const JsonMember& member : *members) pairs.emplace_back(member.key, member.value);
  return pairs;
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// Values that are hard to step over.
const std::vector<std::string> odd_values{"null",
                                          "true",
                                          "false",
                                          "0",
                                          "-0",
                                          "1e400",
                                          "-1.50E-07",
                                          "123456789012345678901234567890",
                                          "0.1000000000000000055",
                                          R"("")",
                                          R"(" ")",
                                          R"("a")",
                                          R"("\"")",
                                          R"("\\")",
                                          R"("\\\"")",
                                          R"("\\\\")",
                                          R"("a\\")",
                                          R"("\\\\\"")",
                                          R"("{")",
                                          R"("}")",
                                          R"("]")",
                                          R"("[")",
                                          R"(",")",
                                          R"(":")",
                                          R"("\u0022")",
                                          R"("\ud83d\ude00")",
                                          R"("\ud83d")",
                                          "\"\xf0\x9f\x98\x80\"",
                                          "\"\xe4\xbb\x8a\xe5\xa4\xa9\"",
                                          "{}",
                                          "[]",
                                          "{ }",
                                          "[ ]",
                                          "[[]]",
                                          "[{}]",
                                          R"({"a":{}})",
                                          R"({"a":"}"})",
                                          R"({"a":"]"})",
                                          R"(["]","[","{","}"])",
                                          R"({"\"}":"\\"})",
                                          R"(["\\",{"\\":["\\\""]}])",
                                          "[1,2,3]",
                                          "[ 1 , 2 ]",
                                          R"({ "a" : [ { "b" : "c" } ] })",
                                          "[\n{\r\n\t\"a\"\n:\n1}\n]",
                                          R"({"a":1,"a":2})"};

const std::vector<std::string> odd_keys{"model", "",  " ", "\\\"", "\\\\",        "mod\\u0065l",
                                        "}",     "{", ":", ",",    "\xe4\xbb\x8a"};

TEST(JsonMembers, GivesKeysAndValuesAsTheyStand) {
  EXPECT_EQ(pairs_of(R"({"model":"gpt","n":1.50,"stop":["a","b"],"x":{"y":null}})"),
            (Pairs{{"model", "\"gpt\""}, {"n", "1.50"}, {"stop", R"(["a","b"])"}, {"x", R"({"y":null})"}}));
  EXPECT_EQ(pairs_of("{}"), Pairs{});
  EXPECT_EQ(pairs_of(" \r\n\t{ } \n"), Pairs{});
  EXPECT_EQ(pairs_of(" { \"a\" :\t1 ,\n\"b\" : \"c\" } "), (Pairs{{"a", "1"}, {"b", "\"c\""}}));
}

TEST(JsonMembers, KeepsRepeatedKeysInTheirOrder) {
  EXPECT_EQ(pairs_of(R"({"a":1,"b":2,"a":3})"), (Pairs{{"a", "1"}, {"b", "2"}, {"a", "3"}}));
  const auto members = json_members(R"({"a":1,"b":2,"a":3})");
  EXPECT_EQ(find_member(*members, "a")->value, "3");
  EXPECT_EQ(find_member(*members, "c"), nullptr);
}

TEST(JsonMembers, StepsOverEveryOddValueUnderEveryOddKey) {
  std::size_t cases = 0;
  for (const std::string& key : odd_keys) {
    for (const std::string& value : odd_values) {
      const std::string text = "{\"before\":[],\"" + key + "\" : " + value + " ,\"after\":\"\\\\\"}";
      ASSERT_EQ(pairs_of(text), (Pairs{{"before", "[]"}, {key, value}, {"after", R"("\\")"}}));
      ++cases;
    }
  }
  EXPECT_GT(cases, 400u);
}

TEST(JsonMembers, NoBeginningOfAnObjectIsAnObject) {
  for (const std::string& value : odd_values) {
    const std::string text = R"({"k":)" + value + R"(,"last":"}"})";
    for (std::size_t end = 0; end < text.size(); ++end) {
      const auto members = json_members(std::string_view(text).substr(0, end));
      ASSERT_FALSE(members) << text.substr(0, end);
      ASSERT_EQ(members.error().kind, ErrorKind::bad_request);
      ASSERT_EQ(members.error().source, ErrorSource::client);
    }
  }
}

TEST(JsonMembers, NoEndOfAnObjectIsAnObject) {
  for (const std::string& value : odd_values) {
    const std::string text = R"({"k":)" + value + "}";
    for (std::size_t begin = 1; begin < text.size(); ++begin) {
      const auto members = json_members(std::string_view(text).substr(begin));
      // Only what is an object in itself, with nothing behind it.
      json::error_code error;
      const json::value real = json::parse(text.substr(begin), error);
      ASSERT_EQ(members.has_value(), !error && real.is_object()) << text.substr(begin);
    }
  }
}

TEST(JsonMembers, RefusesWhatIsNoObject) {
  for (const char* text : {"",
                           " ",
                           "null",
                           "[]",
                           "\"a\"",
                           "1",
                           "a",
                           "{",
                           "}",
                           "{]",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{,}",
                           "{a:1}",
                           "{'a':1}",
                           "{\"a\" 1}",
                           "{\"a\":1 \"b\":2}",
                           "{\"a\":1}}",
                           "{\"a\":1} x",
                           "{\"a\":1}{}",
                           "{\"a\":[}",
                           "{\"a\":[}]}",
                           "{\"a\":{]}}",
                           "{\"a\":\"}",
                           "{\"a\":\"\\\"}",
                           "{\"a\"::1}",
                           "{\"a\":1,,\"b\":2}",
                           "{\"a\":1:2}",
                           "{\"a\":\"b\"\"c\"}",
                           "{\"a\":1\"b\"}",
                           "\xef\xbb\xbf{}"}) {
    EXPECT_FALSE(json_members(text)) << text;
  }
}

TEST(JsonMembers, SaysWhereItIsWrong) {
  EXPECT_THAT(json_members("[1]").error().text, HasSubstr("an object expected at byte 0"));
  EXPECT_THAT(json_members(R"({"a" 1})").error().text, HasSubstr("a colon expected at byte 5"));
  EXPECT_THAT(json_members(R"({"a":})").error().text, HasSubstr("a value expected at byte 5"));
  EXPECT_THAT(json_members(R"({"a":1 "b":2})").error().text,
              HasSubstr("a comma or the object's end expected at byte 7"));
  EXPECT_THAT(json_members(R"({"a":1} x)").error().text, HasSubstr("the end expected at byte 8"));
  EXPECT_THAT(json_members(R"({"a":1,b:2})").error().text, HasSubstr("a member's name expected at byte 7"));
}

TEST(JsonMembers, BoundsTheDepth) {
  const auto nested = [](std::size_t depth) {
    return "{\"a\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_TRUE(json_members(nested(500)));
  EXPECT_FALSE(json_members(nested(100'000)));
  EXPECT_FALSE(json_members("{\"a\":" + std::string(1'000'000, '{')));
}

TEST(JsonMembers, LongRunsOfBackslashesAreLinear) {
  const std::string run(1 << 20, '\\');
  EXPECT_EQ(pairs_of("{\"a\":\"" + run + "\"}").size(), 1u);
  EXPECT_FALSE(json_members("{\"a\":\"" + run + "\\\"}"));
  std::string quotes;
  for (int i = 0; i < 1 << 18; ++i) quotes += "\\\"";
  EXPECT_EQ(pairs_of("{\"a\":\"" + quotes + "\"}").size(), 1u);
}

TEST(JsonMembers, EveryObjectOfAParserIsOneHere) {
  for (const std::string& key : odd_keys) {
    for (const std::string& value : odd_values) {
      const std::string text = "{\"" + key + "\":" + value + "}";
      json::error_code error;
      const json::value real = json::parse(text, error);
      if (error) continue;  // a lone surrogate, a number out of range
      const auto members = json_members(text);
      ASSERT_TRUE(members) << text;
      const std::string name(real.get_object().begin()->key());
      EXPECT_TRUE(members->front().is(name)) << text;
      EXPECT_EQ(json::parse(std::string(members->front().value)), real.get_object().begin()->value()) << text;
    }
  }
}

TEST(JsonMembers, RefusesEndlessObjects) {
  std::string text = "{\"model\":\"x\"";
  for (int i = 1; i < 1000; ++i) text += R"(,"\u0061":1)";
  EXPECT_EQ(pairs_of(text + "}").size(), 1000u);
  const auto more = json_members(text + R"(,"b":1})");
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().kind, ErrorKind::bad_request);
  EXPECT_THAT(more.error().text, HasSubstr("more than 1000 members"));
}

TEST(JsonMember, KeysCompareByWhatTheyMean) {
  const auto members = json_members(R"({"mod\u0065l":1,"a\"b":2,"a\\b":3,"\u00e9":4})");
  ASSERT_TRUE(members);
  EXPECT_NE(find_member(*members, "model"), nullptr);
  EXPECT_NE(find_member(*members, "a\"b"), nullptr);
  EXPECT_NE(find_member(*members, "a\\b"), nullptr);
  EXPECT_NE(find_member(*members, "\xc3\xa9"), nullptr);
  EXPECT_EQ(find_member(*members, "Model"), nullptr);
  EXPECT_EQ(find_member(*members, "mode"), nullptr);
}

TEST(JsonMember, StringsGiveTheTextTheyMean) {
  const auto text_of = [](const std::string& value) {
    const std::string text = "{\"a\":" + value + "}";
    return json_members(text)->front().as_string();
  };
  EXPECT_EQ(text_of(R"("plain")"), "plain");
  EXPECT_EQ(text_of(R"("")"), "");
  EXPECT_EQ(text_of(R"("a\"b\\c\/d\n\u4eca")"), "a\"b\\c/d\n\xe4\xbb\x8a");
  EXPECT_EQ(text_of(R"("\ud83d\ude00")"), "\xf0\x9f\x98\x80");
  EXPECT_EQ(text_of(R"("\ud83d")"), "");
  EXPECT_EQ(text_of(R"("\x")"), "");
  EXPECT_EQ(text_of("1"), "");
  EXPECT_EQ(text_of("{\"b\":\"c\"}"), "");
}

TEST(JsonElements, GivesTheElementsAsTheyStand) {
  for (const std::string& value : odd_values) {
    const std::string text = "[ 1 , " + value + ",\"x\"]";
    const auto elements = json_elements(text);
    ASSERT_TRUE(elements) << text;
    EXPECT_THAT(*elements, testing::ElementsAre("1", value, "\"x\""));
    for (std::size_t end = 0; end < text.size(); ++end) {
      ASSERT_FALSE(json_elements(std::string_view(text).substr(0, end))) << text.substr(0, end);
    }
  }
  EXPECT_TRUE(json_elements(" [ ] ")->empty());
}

TEST(JsonElements, RefusesWhatIsNoArray) {
  for (const char* text : {"", "{}", "1", "[", "]", "[,]", "[1,]", "[1 2]", "[1}", "[1]]", "[1] x", "[\"]"}) {
    EXPECT_FALSE(json_elements(text)) << text;
  }
}

}  // namespace
}  // namespace sluice::llm
