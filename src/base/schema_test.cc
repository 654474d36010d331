#include "base/schema.h"

#include <gmock/gmock.h>

#include <fstream>

#include "base/schema_docs.h"
#include "base/schema_types.h"

namespace sluice::schema {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Inner {
  std::string name;
  Duration wait = 5s;
  std::uint32_t weight = 1;
};

struct Outer {
  std::uint64_t count = 3;
  std::uint64_t room = 64 * 1024;
  double share = 0.5;
  bool on = true;
  std::string mode = "fast";
  Duration pause{};
  std::optional<std::uint64_t> bound;
  Secret key;
  std::vector<std::string> words{"a"};
  std::vector<Inner> inner;
  std::string finished;
};

const Object<Inner>& inner_schema() {
  static const auto object =
      Object<Inner>("An inner thing.")
          .field("wait", &Inner::wait, duration(), "How long.")
          .field("weight", &Inner::weight, as<std::uint32_t>(integer(1, 10)), "Its share.", Presence::required);
  return object;
}

const Object<Outer>& outer_schema() {
  static const auto object =
      Object<Outer>("Everything.")
          .field("count", &Outer::count, integer(1, 100), "How many.")
          .field("room", &Outer::room, size(1024), "How large.")
          .field("share", &Outer::share, number(0, 1), "How much.")
          .field("on", &Outer::on, boolean(), "Whether.")
          .field("mode", &Outer::mode, one_of({"fast", "slow"}, {"sideways"}), "How | why.")
          .field("pause", &Outer::pause, duration(Zero::off), "A pause.")
          .field("bound", &Outer::bound, maybe(integer(0, 9)), "A bound.")
          .field("key", &Outer::key, secret(), "A key.")
          .field("words", &Outer::words, one_or_more(text()), "Words.")
          .field("inner", &Outer::inner, map_of("name", &Inner::name, inner_schema().type()), "Inner things.")
          .later({"cache"})
          .finish([](Outer& outer, Reader&) { outer.finished = "yes"; });
  return object;
}

struct Outcome {
  Outer value;
  std::vector<std::string> problems;
};

std::optional<std::string> environment(std::string_view name) {
  return name == "SECRET" ? std::optional<std::string>("hush") : std::nullopt;
}

Outcome read(std::string_view text) {
  Outcome outcome;
  auto root = yaml::parse(text);
  if (!root) return {{}, {root.error().text}};
  yaml::substitute(*root, environment);
  Reader reader(root->at);
  outer_schema().read(*root, outcome.value, reader);
  for (const Problem& problem : reader.take_problems()) {
    outcome.problems.push_back(
        fmt::format("{}:{}: {}: {}", problem.at.line, problem.at.column, problem.field, problem.text));
  }
  return outcome;
}

TEST(Schema, NothingGivesTheDefaultsOfTheStruct) {
  const Outcome outcome = read("");
  EXPECT_THAT(outcome.problems, IsEmpty());
  EXPECT_EQ(outcome.value.count, 3u);
  EXPECT_EQ(outcome.value.words, std::vector<std::string>{"a"});
  EXPECT_EQ(outcome.value.finished, "yes");
}

TEST(Schema, ReadsEveryKindOfValue) {
  const Outcome outcome = read(
      "count: 7\nroom: 2MiB\nshare: 0.25\non: false\nmode: slow\npause: 1m30s\nbound: 0\nkey: k\nwords: [x, y]\n"
      "inner:\n  one: {wait: 1s, weight: 2}\n  two: {weight: 3}\n");
  EXPECT_THAT(outcome.problems, IsEmpty());
  EXPECT_EQ(outcome.value.count, 7u);
  EXPECT_EQ(outcome.value.room, 2u << 20);
  EXPECT_EQ(outcome.value.share, 0.25);
  EXPECT_FALSE(outcome.value.on);
  EXPECT_EQ(outcome.value.mode, "slow");
  EXPECT_EQ(outcome.value.pause, 90s);
  EXPECT_EQ(outcome.value.bound, 0u);
  EXPECT_EQ(outcome.value.key.reveal(), "k");
  EXPECT_EQ(outcome.value.words, (std::vector<std::string>{"x", "y"}));
  ASSERT_EQ(outcome.value.inner.size(), 2u);
  EXPECT_EQ(outcome.value.inner[1].name, "two");
  EXPECT_EQ(outcome.value.inner[1].wait, 5s);
}

TEST(Schema, OneItemNeedsNoBrackets) { EXPECT_EQ(read("words: x").value.words, std::vector<std::string>{"x"}); }

TEST(Schema, OffIsZeroWhereThereNeedBeNoTime) {
  EXPECT_EQ(read("pause: off").value.pause, 0s);
  EXPECT_THAT(read("inner: {a: {wait: off, weight: 1}}").problems,
              ElementsAre(HasSubstr("must be a duration like 200ms")));
}

// One wrong file and the one problem it has.
struct Wrong {
  const char* text;
  const char* problem;
};

class SchemaProblem : public testing::TestWithParam<Wrong> {};

TEST_P(SchemaProblem, SaysWhereAndWhatAndHow) {
  EXPECT_THAT(read(GetParam().text).problems, ElementsAre(GetParam().problem));
}

INSTANTIATE_TEST_SUITE_P(
    Each, SchemaProblem,
    testing::Values(
        Wrong{"a", "1:1: : must be a map with keys of count, room, share, on, mode, pause, bound, key, words, inner"},
        Wrong{"cuont: 1", "1:1: cuont: unknown key; did you mean \"count\"?"},
        Wrong{"zzzzzz: 1",
              "1:1: zzzzzz: unknown key; the keys here are count, room, share, on, mode, pause, bound, key, words, "
              "inner"},
        Wrong{"on: true\ncache: {}", "2:1: cache: not available in this version; remove it"},
        Wrong{"count: 0", "1:8: count: must be a whole number, 1 to 100, not \"0\""},
        Wrong{"count: -1", "1:8: count: must be a whole number, 1 to 100, not \"-1\""},
        Wrong{"count: 1.5", "1:8: count: must be a whole number, 1 to 100, not \"1.5\""},
        Wrong{"count: 99999999999999999999",
              "1:8: count: must be a whole number, 1 to 100, not \"99999999999999999999\""},
        Wrong{"count:", "1:1: count: has no value; give it a whole number, 1 to 100, or remove the key"},
        Wrong{"count: [1]", "1:8: count: must be a whole number, 1 to 100, not a list"},
        Wrong{"count: {a: 1}", "1:8: count: must be a whole number, 1 to 100, not a map"},
        Wrong{"count: ${NOPE}",
              "1:8: count: the environment variable NOPE is not set; set it, or give a default: ${NOPE:-default}"},
        Wrong{"share: nan", "1:8: share: must be a number, 0 to 1, not \"nan\""},
        Wrong{"room: 1B", "1:7: room: must be a size like 64KiB, 1KiB to 1024TiB, not \"1B\""},
        Wrong{"on: yes", "1:5: on: must be true or false, not \"yes\""},
        Wrong{"mode: fats", "1:7: mode: must be one of fast, slow, not \"fats\"; did you mean \"fast\"?"},
        Wrong{"mode: sideways", "1:7: mode: \"sideways\" is not available in this version; use one of fast, slow"},
        Wrong{"pause: 5", "1:8: pause: must be a duration like 200ms, 30s or 1m30s, or off, not \"5\""},
        Wrong{"pause: 999999h", "1:8: pause: must be a duration like 200ms, 30s or 1m30s, or off, not \"999999h\""},
        Wrong{"words: [a, \"\"]", "1:12: words[1]: must be a text that is not empty, not \"\""},
        Wrong{"words: {a: b}", "1:8: words: must be a text that is not empty, not a map"},
        Wrong{"inner: [1]", "1:8: inner: must be a map: <name>: map"},
        Wrong{"inner:\n  a: {wieght: 1, weight: 1}", "2:7: inner.a.wieght: unknown key; did you mean \"weight\"?"},
        Wrong{"inner:\n  a: {}", "2:3: inner.a: \"weight\" is missing; add it: Its share."},
        Wrong{"key: [hush]", "1:6: key: must be a text, or {file: PATH} to read it from a file, not a list"},
        Wrong{"key: {hush: x}", "1:6: key: must be a text, or {file: PATH} to read it from a file, not a map"},
        Wrong{"key: ''", "1:6: key: is empty; give it a text, or {file: PATH} to read it from a file"},
        Wrong{"key: {file: /nowhere/key}", "1:6: key: cannot read /nowhere/key: No such file or directory"},
        Wrong{"key: {file: /}", "1:6: key: cannot read /: it is not a regular file"},
        // What came out of the environment may be a secret in the wrong place.
        Wrong{"key: {file: \"${SECRET}\"}", "1:6: key: cannot read ${SECRET}: No such file or directory"},
        Wrong{"count: ${SECRET}", "1:8: count: must be a whole number, 1 to 100, not \"${SECRET}\""},
        Wrong{"mode: ${SECRET}", "1:7: mode: must be one of fast, slow, not \"${SECRET}\""}));

TEST(Schema, CollectsAllProblemsInTheOrderOfTheFile) {
  EXPECT_THAT(read("inner: {a: {weight: 11}}\nmode: x\ncount: y\nzzzzzzzz: 1\n").problems,
              ElementsAre(HasSubstr("1:21: inner.a.weight"), HasSubstr("2:7: mode"), HasSubstr("3:8: count"),
                          HasSubstr("4:1: zzzzzzzz")));
}

TEST(Schema, WhatAnAliasRepeatsIsReportedOnce) {
  EXPECT_EQ(read("inner:\n  a: &x {wait: 1x, weight: 1}\n  b: *x\n").problems.size(), 1u);
}

TEST(Schema, AProblemKeepsTheStructFromBeingFinished) { EXPECT_EQ(read("count: x").value.finished, ""); }

TEST(Schema, ASecretFromAFileLosesItsLineEnd) {
  const std::string path = testing::TempDir() + "schema_test_secret";
  std::ofstream(path) << "sk-file\r\n";
  const Outcome outcome = read(fmt::format("key: {{file: {}}}", path));
  EXPECT_THAT(outcome.problems, IsEmpty());
  EXPECT_EQ(outcome.value.key.reveal(), "sk-file");
  std::ofstream(path, std::ios::trunc) << "\n";
  EXPECT_THAT(read(fmt::format("key: {{file: {}}}", path)).problems,
              ElementsAre(HasSubstr("is empty; write the secret into it")));
  ::remove(path.c_str());
}

TEST(Schema, ShowsValuesAsAFileSpellsThem) {
  const Outcome outcome = read("key: hush\nroom: 1MiB\ninner: {a: {wait: 90s, weight: 2}}");
  EXPECT_EQ(json::serialize(outer_schema().show(outcome.value)),
            R"({"count":3,"room":"1MiB","share":5E-1,"on":true,"mode":"fast","pause":"off","key":"***","words":["a"],)"
            R"("inner":{"a":{"wait":"1m30s","weight":2}}})");
}

TEST(SchemaDocs, ThePageHasASectionForEveryMap) {
  const std::string page = reference(outer_schema());
  EXPECT_THAT(page, HasSubstr("| `count` | whole number, 1 to 100 | `3` | How many. |"));
  EXPECT_THAT(page, HasSubstr("| `mode` | one of `fast`, `slow` | `fast` | How \\| why. |"));
  EXPECT_THAT(page, HasSubstr("| `key` | secret |  | A key. |"));
  EXPECT_THAT(page, HasSubstr("| `inner` | [map of name to map](#innername) |  | Inner things. |"));
  EXPECT_THAT(page, HasSubstr("## `inner.<name>`\n\nAn inner thing.\n"));
  EXPECT_THAT(page, HasSubstr("| `weight` | whole number, 1 to 10 | required | Its share. |"));
}

TEST(SchemaDocs, TheJsonSchemaRefusesUnknownKeysAndNamesRequiredOnes) {
  const json::object document = json_schema_document(outer_schema(), "Test");
  EXPECT_EQ(document.at("additionalProperties"), false);
  const json::object& inner = document.at("properties").at("inner").at("additionalProperties").as_object();
  EXPECT_EQ(inner.at("required"), json::array{"weight"});
  EXPECT_EQ(document.at("properties").at("count").at("default"), 3);
}

TEST(SchemaDocs, PrettyJsonIsIndented) {
  EXPECT_EQ(pretty({{"a", json::array{0.15, "x"}}, {"b", json::object()}}),
            "{\n  \"a\": [\n    0.15,\n    \"x\"\n  ],\n  \"b\": {}\n}\n");
}

}  // namespace
}  // namespace sluice::schema
