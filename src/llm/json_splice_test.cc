#include "llm/json_splice.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <random>

namespace sluice::llm {
namespace {

std::string set(std::string_view text, std::string_view name, std::string_view value) {
  const Result<std::vector<JsonMember>> members = json_members(text);
  EXPECT_TRUE(members) << text;
  return members ? set_member(text, *members, name, value) : std::string();
}

TEST(JsonSplice, ReplacesTheValueAndNothingElse) {
  EXPECT_EQ(set(R"({ "a" : 1.0e+01 ,"model":"x" , "b":[ 1,2 ]})", "model", "\"y\""),
            R"({ "a" : 1.0e+01 ,"model":"y" , "b":[ 1,2 ]})");
  EXPECT_EQ(set("{\n\t\"model\"\t:\nnull\n}", "model", "\"y\""), "{\n\t\"model\"\t:\n\"y\"\n}");
  EXPECT_EQ(set(R"({"model":{"deep":"}\""},"n":9007199254740993})", "model", "1"),
            R"({"model":1,"n":9007199254740993})");
}

TEST(JsonSplice, ReplacesEveryRepetition) {
  EXPECT_EQ(set(R"({"model":"a","x":1,"model":"b"})", "model", "2"), R"({"model":2,"x":1,"model":2})");
}

TEST(JsonSplice, KnowsANameByWhatItMeans) {
  EXPECT_EQ(set(R"({"mod\u0065l":"a"})", "model", "2"), R"({"mod\u0065l":2})");
  EXPECT_EQ(set(R"({"models":"a"})", "model", "2"), R"({"models":"a","model":2})");
}

TEST(JsonSplice, AddsWhatIsNotThereAtTheEnd) {
  EXPECT_EQ(set("{}", "a", "1"), R"({"a":1})");
  EXPECT_EQ(set(R"({"b":2 } )", "a", "1"), R"({"b":2 ,"a":1} )");
}

TEST(JsonSplice, AsksForUsageInWhateverIsThere) {
  EXPECT_EQ(with_usage(""), R"({"include_usage":true})");
  EXPECT_EQ(with_usage("null"), R"({"include_usage":true})");
  EXPECT_EQ(with_usage("{}"), R"({"include_usage":true})");
  EXPECT_EQ(with_usage(R"({"include_usage":false,"x":1})"), R"({"include_usage":true,"x":1})");
  EXPECT_EQ(with_usage(R"({"include_obfuscation":false})"), R"({"include_obfuscation":false,"include_usage":true})");
}

/// Random JSON with odd spacing, escapes and spellings.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  std::string object(int depth) {
    std::string text = "{" + space();
    const int count = pick(5);
    for (int i = 0; i < count; ++i) {
      if (i > 0) text += "," + space();
      text += string() + space() + ":" + space() + value(depth - 1) + space();
    }
    return text + "}";
  }

 private:
  int pick(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }
  std::string space() {
    return std::vector<std::string>{"", " ", "\n", "\t ", "\r\n"}[static_cast<std::size_t>(pick(5))];
  }
  std::string string() {
    static const std::vector<std::string> pieces{"a", "model", "\\\"", "\\\\", "\\u0041", "{", "}",
                                                 "]", ",",     ":",    "é",    "\\n",     "中"};
    std::string text = "\"";
    for (int i = pick(4); i > 0; --i) text += pieces[static_cast<std::size_t>(pick(static_cast<int>(pieces.size())))];
    return text + "\"";
  }
  std::string value(int depth) {
    static const std::vector<std::string> plain{
        "0", "-1.50", "1E400", "true", "false", "null", "123456789012345678901"};
    const int kind = pick(depth > 0 ? 4 : 2);
    if (kind == 0) return string();
    if (kind == 1) return plain[static_cast<std::size_t>(pick(static_cast<int>(plain.size())))];
    if (kind == 2) return object(depth);
    std::string text = "[" + space();
    const int count = pick(4);
    for (int i = 0; i < count; ++i) text += (i > 0 ? "," : "") + value(depth - 1) + space();
    return text + "]";
  }
  std::mt19937 random_;
};

TEST(JsonSplice, ChangesOneValueOfAnyObjectAndKeepsEveryOtherByte) {
  for (unsigned seed = 0; seed < 2000; ++seed) {
    const std::string text = Generator(seed).object(4);
    const Result<std::vector<JsonMember>> members = json_members(text);
    ASSERT_TRUE(members) << text;
    for (const JsonMember& member : *members) {
      const auto at = static_cast<std::size_t>(member.value.data() - text.data());
      std::string expected = text;
      if (std::count_if(members->begin(), members->end(),
                        [&](const JsonMember& other) { return other.key == member.key; }) > 1)
        continue;
      if (member.key.find('\\') != std::string_view::npos) continue;
      expected.replace(at, member.value.size(), "\"changed\"");
      EXPECT_EQ(set_member(text, *members, member.key, "\"changed\""), expected);
    }
    EXPECT_EQ(set(text, "added by the test", "7").size(),
              text.size() + std::string(R"("added by the test":7)").size() + (members->empty() ? 0 : 1));
  }
}

}  // namespace
}  // namespace sluice::llm
