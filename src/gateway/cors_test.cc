#include "gateway/cors.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

constexpr const char* app = "https://app.example.com";

CorsConfig allowing(std::vector<std::string> origins) {
  CorsConfig cors;
  cors.origins = std::move(origins);
  return cors;
}

http::RequestHead preflight(std::string_view origin, std::string_view headers = "") {
  http::RequestHead head;
  head.method = "OPTIONS";
  head.target = "/v1/chat/completions";
  if (!origin.empty()) head.fields.add("origin", origin);
  head.fields.add("access-control-request-method", "POST");
  if (!headers.empty()) head.fields.add("access-control-request-headers", headers);
  return head;
}

http::Fields answer_to(const CorsConfig& cors, std::string_view origin) {
  http::Fields fields;
  add_cors(cors, origin, fields);
  return fields;
}

TEST(Preflight, IsAnsweredForAnAllowedOrigin) {
  const auto answer =
      answer_preflight(allowing({"https://other.example.com", app}), preflight(app, "authorization, x-a"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 204);
  EXPECT_EQ(answer->fields.get("access-control-allow-origin"), app);
  EXPECT_EQ(answer->fields.get("access-control-allow-methods"), "GET, POST, DELETE, OPTIONS");
  EXPECT_EQ(answer->fields.get("access-control-allow-headers"), "authorization, x-a");
  EXPECT_EQ(answer->fields.get("access-control-max-age"), "600");
  EXPECT_EQ(answer->fields.get("vary"), "origin");
  EXPECT_FALSE(answer->fields.has("access-control-allow-credentials"));
}

TEST(Preflight, ASpelledListOfHeadersStands) {
  CorsConfig cors = allowing({app});
  cors.headers = {"authorization", "content-type"};
  const auto answer = answer_preflight(cors, preflight(app, "x-a"));
  EXPECT_EQ(answer->fields.get("access-control-allow-headers"), "authorization, content-type");
}

TEST(Preflight, OthersAreNotAnswered) {
  EXPECT_FALSE(answer_preflight(allowing({app}), preflight("https://evil.example.com")));
  EXPECT_FALSE(answer_preflight(allowing({app}), preflight("https://app.example.com.evil.com")));
  EXPECT_FALSE(answer_preflight(allowing({app}), preflight("")));
  EXPECT_FALSE(answer_preflight(CorsConfig(), preflight(app)));
  http::RequestHead plain = preflight(app);
  plain.fields.remove("access-control-request-method");
  EXPECT_FALSE(answer_preflight(allowing({app}), plain));
  http::RequestHead get = preflight(app);
  get.method = "GET";
  EXPECT_FALSE(answer_preflight(allowing({app}), get));
}

TEST(Cors, AnswersName) {
  const http::Fields fields = answer_to(allowing({app}), app);
  EXPECT_EQ(fields.get("access-control-allow-origin"), app);
  EXPECT_EQ(fields.get("access-control-expose-headers"), "x-request-id");
  EXPECT_EQ(fields.get("vary"), "origin");
}

TEST(Cors, AnyOriginIsAStar) {
  EXPECT_EQ(answer_to(allowing({"*"}), app).get("access-control-allow-origin"), "*");
  EXPECT_TRUE(answer_to(allowing({"*"}), "").empty());
}

TEST(Cors, WithCredentialsTheOriginIsNamed) {
  CorsConfig cors = allowing({app});
  cors.credentials = true;
  const http::Fields fields = answer_to(cors, app);
  EXPECT_EQ(fields.get("access-control-allow-origin"), app);
  EXPECT_EQ(fields.get("access-control-allow-credentials"), "true");
}

TEST(Cors, AProvidersOwnAnswerIsReplaced) {
  http::Fields fields;
  fields.add("Access-Control-Allow-Origin", "*");
  fields.add("access-control-expose-headers", "x-theirs");
  add_cors(allowing({app}), app, fields);
  EXPECT_EQ(fields.count("access-control-allow-origin"), 1u);
  EXPECT_EQ(fields.get("access-control-allow-origin"), app);
  EXPECT_EQ(fields.get("access-control-expose-headers"), "x-request-id");
}

TEST(Cors, OtherOriginsGetNothing) {
  EXPECT_TRUE(answer_to(allowing({app}), "https://evil.example.com").empty());
  EXPECT_TRUE(answer_to(allowing({}), app).empty());
}

}  // namespace
}  // namespace sluice
