#include "llm/prices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace sluice::llm {
namespace {

Usage used(std::uint64_t prompt, std::uint64_t completion) {
  Usage usage;
  usage.known = true;
  usage.prompt = prompt;
  usage.completion = completion;
  return usage;
}

constexpr std::uint64_t million = 1'000'000;

double dollars(const PriceTable& table, std::string_view provider, std::string_view model, const Usage& usage) {
  return table.cost(provider, model, usage).value_or(-1);
}

TEST(PriceTable, InputAndOutputAreCountedApart) {
  const PriceTable table({{"m", 2, 8}});
  EXPECT_DOUBLE_EQ(dollars(table, "p", "m", used(million, 0)), 2);
  EXPECT_DOUBLE_EQ(dollars(table, "p", "m", used(0, million)), 8);
  EXPECT_DOUBLE_EQ(dollars(table, "p", "m", used(1000, 500)), 0.006);
  EXPECT_DOUBLE_EQ(dollars(table, "p", "m", used(0, 0)), 0);
}

TEST(PriceTable, UnknownIsNotZero) {
  const PriceTable table;
  EXPECT_EQ(table.cost("mock", "nobody-knows", used(10, 10)), std::nullopt);
  EXPECT_EQ(table.cost("openai", "", used(10, 10)), std::nullopt);
  EXPECT_EQ(table.cost("openai", "gpt-4o", Usage{}), std::nullopt);
  EXPECT_NE(table.cost("openai", "gpt-4o", used(0, 0)), std::nullopt);
}

TEST(PriceTable, CachedAndWrittenTokensArePartOfThePrompt) {
  const PriceTable table({{"m", 10, 0, 1, 12}, {"plain", 10, 0}});
  Usage usage = used(million, 0);
  usage.cached = 400'000;
  usage.cache_write = 100'000;
  EXPECT_DOUBLE_EQ(dollars(table, "p", "m", usage), 0.5 * 10 + 0.4 * 1 + 0.1 * 12);
  EXPECT_DOUBLE_EQ(dollars(table, "p", "plain", usage), 10);
}

TEST(PriceTable, ReasoningIsPartOfTheCompletion) {
  const PriceTable table({{"m", 0, 10}});
  Usage usage = used(0, million);
  usage.reasoning = 900'000;
  EXPECT_DOUBLE_EQ(dollars(table, "p", "m", usage), 10);
}

TEST(PriceTable, AudioHasItsOwnPrice) {
  const PriceTable table({{"m", 2, 4, {}, {}, 40, 80}, {"plain", 2, 4}});
  Usage usage = used(million, million);
  usage.audio_prompt = usage.audio_completion = 500'000;
  EXPECT_DOUBLE_EQ(dollars(table, "p", "m", usage), 0.5 * 2 + 0.5 * 40 + 0.5 * 4 + 0.5 * 80);
  EXPECT_DOUBLE_EQ(dollars(table, "p", "plain", usage), 2 + 4);
}

TEST(PriceTable, PartsLargerThanTheWholeCostNothingNegative) {
  const PriceTable table({{"m", 10, 10, 1}});
  Usage usage = used(10, 10);
  usage.cached = 20;
  usage.audio_completion = std::numeric_limits<std::uint64_t>::max();
  EXPECT_GE(dollars(table, "p", "m", usage), 0);
}

TEST(PriceTable, OverridesWinInTheirOrder) {
  const PriceTable table({{"gpt-4o-mini", 1, 1}, {"gpt-4o*", 3, 3}, {"far/*", 5, 5}});
  EXPECT_EQ(table.find("openai", "gpt-4o-mini")->input, 1);
  EXPECT_EQ(table.find("openai", "gpt-4o-2024-11-20")->input, 3);
  EXPECT_EQ(table.find("far", "anything")->input, 5);
  EXPECT_EQ(table.find("near", "anything"), nullptr);
  EXPECT_EQ(table.find("openai", "gpt-4.1")->input, 2);
}

TEST(PriceTable, AFreeModelOfOnesOwnIsFreeAndNotUnknown) {
  const PriceTable table({{"*", 0, 0}});
  EXPECT_EQ(table.cost("local", "llama", used(1000, 1000)), 0.0);
}

TEST(PriceTable, VersionsOfAModelCostAsTheModel) {
  const PriceTable table;
  const std::vector<std::pair<std::string_view, std::string_view>> versions{
      {"gpt-4o-2024-11-20", "gpt-4o"},
      {"gpt-4o-mini-2024-07-18", "gpt-4o-mini"},
      {"gpt-4.1-nano-2025-04-14", "gpt-4.1-nano"},
      {"gpt-5-chat-latest", "gpt-5-chat"},
      {"gpt-4o-audio-preview-2024-12-17", "gpt-4o-audio"},
      {"gpt-4-0613", "gpt-4"},
      {"o3-mini-2025-01-31", "o3-mini"},
      {"claude-sonnet-4-20250514", "claude-sonnet-4"},
      {"claude-sonnet-4-5-20250929", "claude-sonnet-4-5"},
      {"claude-sonnet-4-5@20250929", "claude-sonnet-4-5"},
      {"claude-3-5-haiku-latest", "claude-3-5-haiku"},
      {"gemini-2.5-flash-preview-09-2025", "gemini-2.5-flash"},
      {"gemini-2.5-pro-preview-05-06", "gemini-2.5-pro"},
      {"models/gemini-2.5-pro", "gemini-2.5-pro"},
      {"gemini-2.0-flash-001", "gemini-2.0-flash"},
      {"mistral-small-2603", "mistral-small"},
      {"command-r-08-2024", "command-r"},
      {"qwen-plus-2025-09-11", "qwen-plus"},
      {"grok-4-0709", "grok-4"},
  };
  for (const auto& [version, model] : versions) {
    const Price* const price = table.find("", version);
    ASSERT_NE(price, nullptr) << version;
    EXPECT_EQ(price->model, model) << version;
  }
}

TEST(PriceTable, AVersionMayHaveItsOwnPrice) {
  const PriceTable table;
  EXPECT_EQ(table.find("openai", "gpt-4o-2024-05-13")->input, 5);
  EXPECT_EQ(table.find("openai", "gpt-4o-2024-08-06")->input, 2.5);
  EXPECT_EQ(table.find("openai", "gpt-4-1106-preview")->input, 10);
}

TEST(PriceTable, AModelThatIsNotListedIsNotTakenForItsNeighbour) {
  const PriceTable table;
  for (const std::string_view model : {"gpt-4.5",
                                       "gpt-5.9",
                                       "gpt-99",
                                       "gpt-4o-ultra",
                                       "claude-opus-4-9",
                                       "claude-opus-9",
                                       "claude",
                                       "gemini-2.5",
                                       "gemini-9-pro",
                                       "o9",
                                       "o",
                                       "gpt-4o-",
                                       "-latest",
                                       "@",
                                       "-2024-08-06",
                                       "models/",
                                       "ft:gpt-4o:acme::abc",
                                       "openai/gpt-4o",
                                       "gpt-4o/",
                                       "llama-3.3-70b-versatile"}) {
    EXPECT_EQ(table.find("openai", model), nullptr) << model;
  }
}

TEST(PriceTable, AHostsOwnPriceHoldsOnlyThere) {
  const PriceTable table;
  EXPECT_EQ(table.find("groq", "llama-3.3-70b-versatile")->output, 0.79);
  EXPECT_EQ(table.find("groq", "openai/gpt-oss-120b")->input, 0.15);
  EXPECT_EQ(table.find("gro", "llama-3.3-70b-versatile"), nullptr);
  EXPECT_EQ(table.find("groq2", "llama-3.3-70b-versatile"), nullptr);
  EXPECT_EQ(table.find("", "groq/llama-3.3-70b-versatile")->output, 0.79);
}

TEST(PriceTable, LongPromptsCostMore) {
  const PriceTable table;
  EXPECT_EQ(table.find("google", "gemini-2.5-pro", 200'000)->input, 1.25);
  EXPECT_EQ(table.find("google", "gemini-2.5-pro", 200'001)->input, 2.5);
  EXPECT_EQ(table.find("qwen", "qwen3-max", 40'000)->input, 2.4);
  EXPECT_EQ(table.find("qwen", "qwen3-max", 400'000)->input, 3);
  EXPECT_DOUBLE_EQ(dollars(table, "google", "gemini-2.5-pro", used(million, 0)), 2.5);
  const PriceTable own({{"m", 2, 2, {}, {}, {}, {}, 1000}, {"m", 1, 1}});
  EXPECT_EQ(own.find("p", "m", 1000)->input, 1);
  EXPECT_EQ(own.find("p", "m", 1001)->input, 2);
}

TEST(ShippedPrices, AreSoundAndFindThemselves) {
  const std::vector<Price>& prices = shipped_prices();
  const PriceTable table;
  ASSERT_GT(prices.size(), 150u);
  for (std::size_t i = 0; i < prices.size(); ++i) {
    const Price& price = prices[i];
    SCOPED_TRACE(price.model);
    EXPECT_GT(price.input, 0);
    EXPECT_GE(price.output, 0);
    EXPECT_LT(price.input, 1000);
    EXPECT_LE(price.cached_input.value_or(0), price.input);
    EXPECT_EQ(table.find("", price.model, price.above + 1), &price);
    if (i == 0 || prices[i - 1].model != price.model) {
      EXPECT_EQ(price.above, 0u);
    } else {
      EXPECT_GT(price.above, prices[i - 1].above);
      EXPECT_GE(price.input, prices[i - 1].input);
    }
  }
}

}  // namespace
}  // namespace sluice::llm
