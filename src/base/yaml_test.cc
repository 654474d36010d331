#include "base/yaml.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace sluice::yaml {
namespace {

using testing::HasSubstr;

// "3:5 text" of the fault that reading ends with, or "".
std::string fault_of(std::string_view text, const Limits& limits = {}) {
  const auto node = parse(text, limits);
  return node ? "" : fmt::format("{}:{} {}", node.error().at.line, node.error().at.column, node.error().text);
}

TEST(Yaml, KnowsWhereEverythingStands) {
  const auto root = parse("a: 1\nb:\n  - x\n  - {c: \"2\"}\n");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->entries[1].key, "b");
  EXPECT_EQ(root->entries[1].at, (Position{2, 1}));
  const Node& item = root->find("b")->items[1];
  EXPECT_EQ(item.at, (Position{4, 5}));
  EXPECT_EQ(item.entries[0].at, (Position{4, 6}));
  EXPECT_EQ(item.find("c")->at, (Position{4, 9}));
  EXPECT_TRUE(item.find("c")->quoted);
  EXPECT_FALSE(root->find("a")->quoted);
}

TEST(Yaml, NothingIsANull) {
  for (const char* text : {"", "\n\n", "# only a comment\n", "---\n"}) {
    const auto root = parse(text);
    ASSERT_TRUE(root) << text;
    EXPECT_EQ(root->kind, Node::Kind::null) << text;
  }
}

TEST(Yaml, ReadsJson) {
  const auto root = parse(R"({"a": ["x", 1, null], "b": {}})");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->find("a")->items.size(), 3u);
  EXPECT_EQ(root->find("b")->kind, Node::Kind::map);
}

TEST(Yaml, ExpandsAliases) {
  const auto root = parse("a: &t {connect: 1s}\nb: *t\n");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->find("b")->find("connect")->text, "1s");
  EXPECT_EQ(root->find("b")->at, (Position{2, 4}));
}

TEST(Yaml, RefusesWithThePlace) {
  EXPECT_THAT(fault_of("a: 1\nb: 2\na: 3\n"), HasSubstr("3:1 the key \"a\" is here twice (first in line 1)"));
  EXPECT_THAT(fault_of("a: [1\n"), HasSubstr("1:4 not valid YAML: the ] that belongs to this is missing"));
  EXPECT_THAT(fault_of("b: 1\na: {b: c\nd: 1\n"),
              HasSubstr("2:4 not valid YAML: the } that belongs to this is missing"));
  EXPECT_THAT(fault_of("a: b: c\n"), HasSubstr("1:5 not valid YAML"));
  EXPECT_THAT(fault_of("a: 1\n---\nb: 2\n"), HasSubstr("a second document"));
  EXPECT_THAT(fault_of("a: &x {k: 1}\nb:\n  <<: *x\n"), HasSubstr("3:3 merge keys"));
  EXPECT_THAT(fault_of("a: !!python/object 1\n"), HasSubstr("tags"));
  EXPECT_THAT(fault_of("[a]: 1\n"), HasSubstr("a key must be a text"));
  EXPECT_THAT(fault_of("a: *nowhere\n"), HasSubstr("not valid YAML"));
  EXPECT_THAT(fault_of("a: &x [*x]\n"), HasSubstr("inside its own anchor"));
}

TEST(Yaml, BoundsBytesDepthAndNodes) {
  EXPECT_THAT(fault_of("aaaaaaaaaaaa", {.bytes = 10}), HasSubstr("12 bytes long"));
  EXPECT_THAT(fault_of(std::string(100, '[') + std::string(100, ']')), HasSubstr("nested deeper than 24"));
  EXPECT_EQ(fault_of("[[[1]]]", {.depth = 3}), "");
  EXPECT_THAT(fault_of("[1,2,3,4]", {.nodes = 4}), HasSubstr("more than 4 values"));
  EXPECT_THAT(fault_of("a: &x [[[1]]]\nb: [[*x]]\n", {.depth = 5}), HasSubstr("2:6 nested deeper"));
}

TEST(Yaml, ABombOfAliasesEndsEarly) {
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += fmt::format("a{0}: &a{0} [*a{1},*a{1},*a{1},*a{1},*a{1},*a{1},*a{1},*a{1},*a{1},*a{1}]\n", i, i - 1);
  }
  EXPECT_THAT(fault_of(bomb), HasSubstr("more than 50000 values"));
}

std::optional<std::string> environment(std::string_view name) {
  if (name == "HOST") return "example.com";
  if (name == "EMPTY") return "";
  return std::nullopt;
}

// The text of a scalar after substitution, or the faults.
std::string substituted(std::string text) {
  Node node;
  node.kind = Node::Kind::scalar;
  node.text = std::move(text);
  substitute(node, environment);
  return node.fault.empty() ? node.text : "fault: " + node.fault;
}

TEST(YamlSubstitute, ReplacesVariables) {
  EXPECT_EQ(substituted("http://${HOST}/v1"), "http://example.com/v1");
  EXPECT_EQ(substituted("${HOST}${HOST}"), "example.comexample.com");
  EXPECT_EQ(substituted("${NOPE:-8080}"), "8080");
  EXPECT_EQ(substituted("${NOPE:-}"), "");
  EXPECT_EQ(substituted("${EMPTY:-x}"), "x");
  EXPECT_EQ(substituted("${EMPTY}"), "");
  EXPECT_EQ(substituted("${HOST:-x}"), "example.com");
  EXPECT_EQ(substituted("$HOST $5 $$"), "$HOST $5 $$");
  EXPECT_EQ(substituted("$${HOST}"), "${HOST}");
}

TEST(YamlSubstitute, SaysWhatIsMissing) {
  EXPECT_EQ(substituted("${NOPE}"),
            "fault: the environment variable NOPE is not set; set it, or give a default: ${NOPE:-default}");
  EXPECT_THAT(substituted("${HOST"), HasSubstr("without \"}\""));
  EXPECT_THAT(substituted("${}"), HasSubstr("needs a variable's name"));
  EXPECT_THAT(substituted("${a b}"), HasSubstr("needs a variable's name"));
  EXPECT_THAT(substituted("${1A:-x}"), HasSubstr("needs a variable's name"));
}

TEST(YamlSubstitute, ReachesEveryScalar) {
  auto root = parse("a: ${HOST}\nb: [\"${X}\", {c: \"${Y}\"}]\n");
  ASSERT_TRUE(root);
  substitute(*root, environment);
  EXPECT_THAT(root->find("b")->items[0].fault, HasSubstr("X is not set"));
  EXPECT_THAT(root->find("b")->items[1].find("c")->fault, HasSubstr("Y is not set"));
  EXPECT_EQ(root->find("a")->text, "example.com");
}

TEST(YamlSubstitute, RemembersWhatMayBeShown) {
  Node node;
  node.kind = Node::Kind::scalar;
  node.text = "${HOST}/${NOPE:-x}";
  substitute(node, environment);
  EXPECT_EQ(node.shown(), "${HOST}/${NOPE:-x}");
  EXPECT_EQ(node.fallback_for, "NOPE");
}

}  // namespace
}  // namespace sluice::yaml
