#include "llm/json_splice.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <random>

namespace sluice::llm {
namespace {

namespace json = boost::json;

std::vector<JsonMember> members_of(std::string_view text) {
  Result<std::vector<JsonMember>> members = json_members(text);
  EXPECT_TRUE(members) << text;
  return members ? std::move(*members) : std::vector<JsonMember>();
}

std::string set(std::string_view text, std::string_view name, std::string_view value) {
  return set_member(text, members_of(text), name, value);
}

std::string removed(std::string_view text, std::string_view name) {
  return remove_member(text, members_of(text), name);
}

TEST(JsonSplice, ReplacesAValueWhereItStands) {
  EXPECT_EQ(set(R"({"model":"a","n":1.50})", "model", "\"b\""), R"({"model":"b","n":1.50})");
  EXPECT_EQ(set("{ \"x\" : 1e2 ,\n\t\"model\" :  null , \"y\":[ ] } ", "model", "\"b\""),
            "{ \"x\" : 1e2 ,\n\t\"model\" :  \"b\" , \"y\":[ ] } ");
  EXPECT_EQ(set(R"({"model":{"deep":"}\""},"n":9007199254740993})", "model", "1"),
            R"({"model":1,"n":9007199254740993})");
}

TEST(JsonSplice, ReplacesEveryRepetition) {
  EXPECT_EQ(set(R"({"model":"a","x":0,"model":"b"})", "model", "\"c\""), R"({"model":"c","x":0,"model":"c"})");
}

TEST(JsonSplice, KnowsAKeyByWhatItMeans) {
  EXPECT_EQ(set(R"({"mod\u0065l":"a"})", "model", "\"b\""), R"({"mod\u0065l":"b"})");
  EXPECT_EQ(set(R"({"models":"a"})", "model", "2"), R"({"models":"a","model":2})");
  EXPECT_EQ(set(R"({"Model":"a"})", "model", "\"b\""), R"({"Model":"a","model":"b"})");
}

TEST(JsonSplice, AddsWhatIsMissingAtTheEnd) {
  EXPECT_EQ(set("{}", "a", "1"), R"({"a":1})");
  EXPECT_EQ(set(" { } ", "a", "1"), R"( { "a":1} )");
  EXPECT_EQ(set(R"({"x":{"a":2}})", "a", "1"), R"({"x":{"a":2},"a":1})");
  EXPECT_EQ(set("{\"x\":\"}\"\n}\n", "a", "1"), "{\"x\":\"}\"\n,\"a\":1}\n");
}

TEST(JsonSplice, SetsSeveralMembersAtOnce) {
  const std::vector<MemberEdit> edits{{"a", "1"}, {"b", "2"}, {"c", "3"}};
  const auto all = [&](std::string_view text) { return set_members(text, members_of(text), edits); };
  EXPECT_EQ(all("{}"), R"({"a":1,"b":2,"c":3})");
  EXPECT_EQ(all(R"({"b":0})"), R"({"b":2,"a":1,"c":3})");
  EXPECT_EQ(all(R"({"c":0,"x":[],"a":{}})"), R"({"c":3,"x":[],"a":1,"b":2})");
  EXPECT_EQ(set_members(R"({"x" : 1})", members_of(R"({"x" : 1})"), {}), R"({"x" : 1})");
}

TEST(JsonSplice, RemovesAMemberWithItsComma) {
  EXPECT_EQ(removed(R"({"a":1})", "a"), "{}");
  EXPECT_EQ(removed(R"({"a":1,"b":2})", "a"), R"({"b":2})");
  EXPECT_EQ(removed(R"({"a":1,"b":2})", "b"), R"({"a":1})");
  EXPECT_EQ(removed(R"({"a":1 , "b":2 , "c":","})", "b"), R"({"a":1 , "c":","})");
  EXPECT_EQ(removed(R"({"a":"," , "b":2 } )", "b"), R"({"a":","  } )");
  EXPECT_EQ(removed(R"({"b":1,"a":2,"b":3,"b":4})", "b"), R"({"a":2})");
  EXPECT_EQ(removed(R"({"b":1,"b":4})", "b"), "{}");
  EXPECT_EQ(removed(R"({"a":[1,2]})", "b"), R"({"a":[1,2]})");
}

TEST(JsonSplice, AsksForUsageWhateverStoodThere) {
  EXPECT_EQ(with_usage(""), R"({"include_usage":true})");
  EXPECT_EQ(with_usage("null"), R"({"include_usage":true})");
  EXPECT_EQ(with_usage("{}"), R"({"include_usage":true})");
  EXPECT_EQ(with_usage(R"({ "include_usage" : false })"), R"({ "include_usage" : true })");
  EXPECT_EQ(with_usage(R"({"include_usage":null,"include_obfuscation":false})"),
            R"({"include_usage":true,"include_obfuscation":false})");
  EXPECT_EQ(with_usage(R"({"x":1.0})"), R"({"x":1.0,"include_usage":true})");
}

TEST(JsonSplice, WritesStringsThatParsersRead) {
  for (const std::string_view text : {"", "gpt-4o", "a\"b\\c", "\n\t\x01", "今天", "</script>", "a/b"}) {
    EXPECT_EQ(json::parse(json_string(text)).as_string(), json::string_view(text.data(), text.size()));
  }
}

/// Objects with everything that is hard to keep: odd white space, spellings of numbers, escapes, repeated keys.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  struct Object {
    std::vector<std::string> parts;  ///< what stands between the values of "it"
    std::string text(std::string_view it) const {
      std::string text = parts.front();
      for (std::size_t i = 1; i < parts.size(); ++i) text.append(it).append(parts[i]);
      return text;
    }
  };

  /// An object whose members "it" can be exchanged.
  Object object() {
    Object object;
    std::string part = space() + "{" + space();
    const int count = pick(6);
    for (int i = 0; i < count; ++i) {
      if (i > 0) part += space() + "," + space();
      if (pick(3) > 0) {
        part += string() + space() + ":" + space() + value(3);
        continue;
      }
      part += choice({R"("it")", R"("\u0069t")", R"("i\u0074")"}) + space() + ":" + space();
      object.parts.push_back(std::exchange(part, {}));
    }
    object.parts.push_back(part + space() + "}" + space());
    return object;
  }

  std::string value(int depth) {
    switch (pick(depth > 0 ? 5 : 3)) {
      case 0:
        return string();
      case 1:
        return choice({"0", "-0.0", "1E+2", "1.10", "12345678901234567890123", "1e-400"});
      case 2:
        return choice({"true", "false", "null", "[]", "{ }"});
      case 3:
        return "[" + space() + value(depth - 1) + space() + "," + value(depth - 1) + space() + "]";
      default:
        return "{" + space() + string() + ":" + value(depth - 1) + "," + R"("it":)" + value(depth - 1) + space() + "}";
    }
  }

 private:
  int pick(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }
  std::string choice(const std::vector<std::string>& from) { return from[pick(static_cast<int>(from.size()))]; }
  std::string space() { return choice({"", "", "", " ", "\n", "\r\n", "\t  "}); }
  std::string string() {
    std::string text = "\"";
    for (int i = pick(12); i > 0; --i) {
      text += choice({"a", "\\\"", "\\\\", "{", "}", "[", "]", ",", ":", "\\u00e9", "今", "\\n", "it", " "});
    }
    if (text == "\"it") text += "s";
    return text + "\"";
  }

  std::mt19937 random_;
};

TEST(JsonSplice, EveryOtherByteSurvives) {
  Generator generator(7);
  for (int round = 0; round < 20'000; ++round) {
    const Generator::Object object = generator.object();
    const std::string before = object.text(generator.value(2));
    const std::string value = generator.value(2);
    const std::string after = set(before, "it", value);
    if (object.parts.size() > 1) {
      ASSERT_EQ(after, object.text(value));
    } else {
      const std::size_t brace = before.rfind('}');
      ASSERT_EQ(after.substr(0, brace), before.substr(0, brace));
      ASSERT_TRUE(after.ends_with(before.substr(brace)));
    }
    ASSERT_EQ(find_member(members_of(after), "it")->value, value);
  }
}

TEST(JsonSplice, WhatIsLeftAfterARemovalIsTheRest) {
  Generator generator(8);
  for (int round = 0; round < 20'000; ++round) {
    const std::string before = generator.object().text(generator.value(2));
    const std::string after = removed(before, "it");
    std::vector<std::string> expected;
    for (const JsonMember& member : members_of(before)) {
      if (!member.is("it")) expected.push_back(std::string(member.key) + ":" + std::string(member.value));
    }
    std::vector<std::string> left;
    for (const JsonMember& member : members_of(after))
      left.push_back(std::string(member.key) + ":" + std::string(member.value));
    ASSERT_EQ(left, expected) << before << "\n" << after;
  }
}

}  // namespace
}  // namespace sluice::llm
