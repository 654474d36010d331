#include "llm/dialect/openai/usage.h"

#include <gtest/gtest.h>

namespace sluice::llm::openai {
namespace {

TEST(Usage, OfChatCompletions) {
  const Usage usage = parse_usage(
      R"({"prompt_tokens":120,"completion_tokens":340,"total_tokens":460,
          "prompt_tokens_details":{"cached_tokens":64,"audio_tokens":3},
          "completion_tokens_details":{"reasoning_tokens":128,"audio_tokens":7,"accepted_prediction_tokens":1}})");
  EXPECT_TRUE(usage.known);
  EXPECT_FALSE(usage.estimated);
  EXPECT_EQ(usage.prompt, 120u);
  EXPECT_EQ(usage.completion, 340u);
  EXPECT_EQ(usage.cached, 64u);
  EXPECT_EQ(usage.reasoning, 128u);
  EXPECT_EQ(usage.audio_prompt, 3u);
  EXPECT_EQ(usage.audio_completion, 7u);
  EXPECT_EQ(usage.cache_write, 0u);
}

TEST(Usage, OfResponses) {
  const Usage usage = parse_usage(
      R"({"input_tokens":37,"input_tokens_details":{"cached_tokens":5},"output_tokens":11,"output_tokens_details":{"reasoning_tokens":4},"total_tokens":48})");
  EXPECT_EQ(usage.prompt, 37u);
  EXPECT_EQ(usage.completion, 11u);
  EXPECT_EQ(usage.cached, 5u);
  EXPECT_EQ(usage.reasoning, 4u);
}

TEST(Usage, OfEmbeddings) {
  EXPECT_EQ(parse_usage(R"({"prompt_tokens":8,"total_tokens":8})").prompt, 8u);
  EXPECT_EQ(parse_usage(R"({"prompt_tokens":8,"total_tokens":8})").completion, 0u);
  EXPECT_EQ(parse_usage(R"({"total_tokens":8})").prompt, 8u);
  EXPECT_EQ(parse_usage(R"({"total_tokens":8,"completion_tokens":3})").prompt, 5u);
}

TEST(Usage, CachedTokensInOtherPlaces) {
  EXPECT_EQ(parse_usage(R"({"prompt_tokens":9,"prompt_cache_hit_tokens":4,"prompt_cache_miss_tokens":5})").cached, 4u);
  EXPECT_EQ(parse_usage(R"({"prompt_tokens":9,"cached_tokens":4})").cached, 4u);
  EXPECT_EQ(parse_usage(R"({"prompt_tokens":9,"prompt_tokens_details":null,"prompt_cache_hit_tokens":4})").cached, 4u);
  EXPECT_EQ(parse_usage(R"({"prompt_tokens":9,"prompt_tokens_details":{"cached_tokens":2,"cache_write_tokens":3}})")
                .cache_write,
            3u);
  EXPECT_EQ(parse_usage(R"({"prompt_tokens":9,"cache_creation_input_tokens":3})").cache_write, 3u);
}

TEST(Usage, ReasoningIsAlwaysPartOfTheCompletion) {
  const auto completion = [](std::string_view text) { return parse_usage(text).completion; };
  EXPECT_EQ(
      completion(
          R"({"prompt_tokens":10,"completion_tokens":5,"total_tokens":45,"completion_tokens_details":{"reasoning_tokens":30}})"),
      35u);
  EXPECT_EQ(
      completion(
          R"({"prompt_tokens":10,"completion_tokens":35,"total_tokens":45,"completion_tokens_details":{"reasoning_tokens":30}})"),
      35u);
}

TEST(Usage, NothingCountedIsNotKnown) {
  for (const char* text : {"", "{}", "null", "[]", R"({"prompt_tokens":null})", R"({"prompt_tokens":"12"})",
                           R"({"seconds":3})", "{\"prompt_tokens\":1"}) {
    EXPECT_FALSE(parse_usage(text).known) << text;
  }
}

TEST(Usage, OddNumbers) {
  EXPECT_EQ(parse_usage(R"({"prompt_tokens":12.0,"completion_tokens":-3})").prompt, 12u);
  EXPECT_EQ(parse_usage(R"({"prompt_tokens":12.0,"completion_tokens":-3})").completion, 0u);
  EXPECT_EQ(parse_usage(R"({"prompt_tokens":99999999999999999999999})").prompt, 0u);
  EXPECT_EQ(parse_usage(R"({"prompt_tokens":1,"prompt_tokens":2})").prompt, 2u);
}

TEST(UsageOf, FindsItInAWholeAnswer) {
  EXPECT_EQ(
      usage_of(
          R"({"id":"x","choices":[{"message":{"content":"\"usage\":{\"prompt_tokens\":9}"}}],"usage":{"prompt_tokens":7}})")
          .prompt,
      7u);
  EXPECT_EQ(
      usage_of(R"({"object":"list","data":[{"embedding":[0.1,-2e-3]}],"usage":{"prompt_tokens":3,"total_tokens":3}})")
          .prompt,
      3u);
  EXPECT_EQ(usage_of(" {\n \"usage\" : { \"input_tokens\" : 4 } }\n").prompt, 4u);
}

TEST(UsageOf, FindsItInAnEvent) {
  EXPECT_EQ(usage_of(R"({"type":"response.completed","response":{"usage":{"input_tokens":4}}})").prompt, 4u);
  EXPECT_EQ(usage_of(R"({"x_groq":{"usage":{"prompt_tokens":5}}})").prompt, 5u);
}

TEST(UsageOf, IsNotKnownWhereThereIsNone) {
  for (const char* text : {"", "x", "{}", R"({"usage":null})", R"({"usage":[]})", R"({"response":null})",
                           R"({"choices":[{"usage":{"prompt_tokens":1}}]})"}) {
    EXPECT_FALSE(usage_of(text).known) << text;
  }
}

}  // namespace
}  // namespace sluice::llm::openai
