#include "llm/dialect/openai/models.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::llm::openai {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> ids_of(std::string_view text) {
  std::vector<std::string> ids;
  for (const ModelEntry& model : parse_model_list(text)) ids.push_back(model.id);
  return ids;
}

TEST(ModelList, ReadsWhatProvidersAnswer) {
  const auto models = parse_model_list(
      R"({"object":"list","data":[{"id":"gpt-4o","object":"model","created":1715367049,"owned_by":"system"},{"id":"b"}]})");
  ASSERT_EQ(models.size(), 2u);
  EXPECT_EQ(models[0].id, "gpt-4o");
  EXPECT_EQ(models[0].created, 1715367049);
  EXPECT_EQ(models[0].owned_by, "system");
  EXPECT_EQ(models[1].created, 0);
  EXPECT_EQ(models[1].owned_by, "");
}

TEST(ModelList, ReadsOtherShapes) {
  EXPECT_THAT(ids_of(R"([{"id":"a"},{"id":"b"}])"), ElementsAre("a", "b"));
  EXPECT_THAT(ids_of(R"({"models":[{"name":"models/gemini"}]})"), ElementsAre("models/gemini"));
  EXPECT_THAT(ids_of(R"({"data":["a","b"]})"), ElementsAre("a", "b"));
}

TEST(ModelList, LeavesOutWhatIsNoEntry) {
  EXPECT_THAT(
      ids_of(R"({"data":[null,1,[],{},{"id":null},{"id":""},{"id":7},{"id":"a","created":"soon","owned_by":{}}]})"),
      ElementsAre("a"));
  for (const char* text :
       {"", "x", "{", "null", "{}", R"({"data":null})", R"({"data":{}})", R"({"error":{"message":"no"}})"}) {
    EXPECT_THAT(ids_of(text), IsEmpty()) << text;
  }
}

TEST(ModelList, NamesAModelOnce) {
  EXPECT_THAT(ids_of(R"({"data":[{"id":"a"},{"id":"b"},{"id":"a"}]})"), ElementsAre("a", "b"));
}

TEST(ModelList, TakesOddTimes) {
  const auto created = [](std::string_view value) {
    return parse_model_list("[{\"id\":\"a\",\"created\":" + std::string(value) + "}]").at(0).created;
  };
  EXPECT_EQ(created("1715367049.7"), 1715367049);
  EXPECT_EQ(created("-5"), 0);
  EXPECT_EQ(created("1e300"), 0);
  EXPECT_EQ(created("18446744073709551615"), 0);
}

TEST(ModelList, IsRenderedAsTheApiGivesIt) {
  EXPECT_EQ(render_model_list({}), R"({"object":"list","data":[]})");
  const json::value list = json::parse(render_model_list({{"openai/gpt-4o", 5, "system"}, {"a\"b", 0, ""}}));
  EXPECT_EQ(list.at("data").at(0).at("id").as_string(), "openai/gpt-4o");
  EXPECT_EQ(list.at("data").at(0).at("object").as_string(), "model");
  EXPECT_EQ(list.at("data").at(0).at("created").as_int64(), 5);
  EXPECT_EQ(list.at("data").at(1).at("id").as_string(), "a\"b");
  EXPECT_EQ(json::parse(render_model({"m", 1, "me"})).at("owned_by").as_string(), "me");
}

TEST(ModelList, ReadsItsOwn) {
  const auto models = parse_model_list(render_model_list({{"a", 1, "x"}, {"b", 2, "y"}}));
  ASSERT_EQ(models.size(), 2u);
  EXPECT_EQ(models[1].id, "b");
  EXPECT_EQ(models[1].created, 2);
  EXPECT_EQ(models[1].owned_by, "y");
}

}  // namespace
}  // namespace sluice::llm::openai
