#include "provider/model_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace sluice {
namespace {

using testing::HasSubstr;
using testing::Not;

std::vector<ProviderConfig> providers(std::initializer_list<const char*> names) {
  std::vector<ProviderConfig> configs;
  for (const char* name : names) {
    configs.emplace_back();
    configs.back().name = name;
  }
  return configs;
}

const std::vector<ModelConfig> models{
    {"default", {{"openai", "gpt-4o-mini", 1}}},
    {"smart", {{"openai", "gpt-4o", 3}, {"qwen", "qwen-max", 1}}},
    {"meta/llama", {{"local", "meta-llama/Llama-3.3-70B", 1}}},
};

ModelTable table() {
  return {providers({"openai", "qwen", "local"}), models, {{"claude", "ANTHROPIC_API_KEY is not set"}}};
}

TEST(ModelTable, ProviderSlashModelAlwaysWorks) {
  const auto choice = table().resolve("openai/gpt-5", 0);
  ASSERT_TRUE(choice);
  EXPECT_EQ(choice->provider, "openai");
  EXPECT_EQ(choice->model, "gpt-5");
  EXPECT_EQ(choice->label, "gpt-5");
  EXPECT_FALSE(choice->configured);
  EXPECT_TRUE(table().resolve("openai/gpt-4o", 0)->configured);
}

TEST(ModelTable, OnlyTheFirstSlashSplits) {
  const auto choice = table().resolve("local/meta-llama/Llama-3", 0);
  ASSERT_TRUE(choice);
  EXPECT_EQ(choice->provider, "local");
  EXPECT_EQ(choice->model, "meta-llama/Llama-3");
}

TEST(ModelTable, AnAliasStandsForItsTarget) {
  const auto choice = table().resolve("meta/llama", 7);
  ASSERT_TRUE(choice);
  EXPECT_EQ(choice->provider, "local");
  EXPECT_EQ(choice->model, "meta-llama/Llama-3.3-70B");
  EXPECT_EQ(choice->label, "meta/llama");
  EXPECT_TRUE(choice->configured);
}

TEST(ModelTable, TargetsArePickedByWeight) {
  const ModelTable models_table = table();
  std::map<std::string, int> picks;
  for (std::uint64_t random = 0; random < 400; ++random) ++picks[models_table.resolve("smart", random)->provider];
  EXPECT_EQ(picks["openai"], 300);
  EXPECT_EQ(picks["qwen"], 100);
}

TEST(ModelTable, ATargetOfWeightZeroGetsNothing) {
  const ModelTable models_table(providers({"a", "b"}), {{"m", {{"a", "x", 0}, {"b", "x", 2}}}});
  for (std::uint64_t random = 0; random < 10; ++random) EXPECT_EQ(models_table.resolve("m", random)->provider, "b");
}

TEST(ModelTable, NoNameMeansTheDefault) {
  EXPECT_EQ(table().resolve("", 0)->model, "gpt-4o-mini");
  const auto none = ModelTable(providers({"openai"}), {}).resolve("", 0);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::bad_request);
  EXPECT_THAT(none.error().text, HasSubstr("names no model"));
}

TEST(ModelTable, AnyNameGoesToTheOnlyProvider) {
  const ModelTable single(providers({"local"}), {});
  EXPECT_EQ(single.resolve("llama", 0)->provider, "local");
  const auto slashed = single.resolve("meta-llama/Llama-3", 0);
  ASSERT_TRUE(slashed);
  EXPECT_EQ(slashed->model, "meta-llama/Llama-3");
  EXPECT_EQ(single.resolve("local/llama", 0)->model, "llama");
  EXPECT_FALSE(single.resolve("local/", 0));
}

TEST(ModelTable, AnUnknownNameListsNearOnes) {
  const auto misspelled = table().resolve("smrat", 0);
  ASSERT_FALSE(misspelled);
  EXPECT_EQ(misspelled.error().kind, ErrorKind::model_not_found);
  EXPECT_EQ(misspelled.error().source, ErrorSource::client);
  EXPECT_THAT(misspelled.error().text, HasSubstr("no model \"smrat\". Did you mean \"smart\"?"));

  EXPECT_THAT(table().resolve("gpt-4o", 0).error().text, HasSubstr("\"openai/gpt-4o\""));
  EXPECT_THAT(table().resolve("opnai/gpt-5", 0).error().text, HasSubstr("Did you mean \"openai/gpt-5\""));
  EXPECT_THAT(table().resolve("gpt-5", 0).error().text, HasSubstr("the providers are local, openai, qwen"));
  EXPECT_THAT(table().resolve("completely-different", 0).error().text, Not(HasSubstr("Did you mean")));
}

TEST(ModelTable, NamesNoMoreThanThreeNearOnes) {
  std::vector<ModelConfig> many;
  for (int i = 0; i < 9; ++i) many.push_back({"model-" + std::to_string(i), {{"a", "x", 1}}});
  const auto unknown = ModelTable(providers({"a", "b"}), many).resolve("model-x", 0);
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().text, HasSubstr("Did you mean \"model-0\" or \"model-1\" or \"model-2\"?"));
}

TEST(ModelTable, ALongNameIsNotRepeatedWhole) {
  const std::string name = std::string(99, 'a') + "\xc3\xa9" + std::string(100'000, 'b');
  const auto unknown = table().resolve(name, 0);
  ASSERT_FALSE(unknown);
  EXPECT_LT(unknown.error().text.size(), 300u);
  EXPECT_THAT(unknown.error().text, HasSubstr("a...\""));
}

TEST(ModelTable, AProviderThatIsLeftOutIsNamedWithTheReason) {
  const auto choice = table().resolve("claude/claude-sonnet", 0);
  ASSERT_FALSE(choice);
  EXPECT_THAT(choice.error().text, HasSubstr("\"claude\" is not in use: ANTHROPIC_API_KEY is not set"));
  const ModelTable single(providers({"local"}), {}, {{"claude", "ANTHROPIC_API_KEY is not set"}});
  EXPECT_THAT(single.resolve("claude/opus", 0).error().text, HasSubstr("is not in use"));
}

TEST(ModelTable, ListsItsNames) {
  EXPECT_THAT(table().names(), testing::ElementsAre("default", "meta/llama", "smart"));
}

TEST(ProviderPath, IsTakenApart) {
  const auto path = split_provider_path("/providers/openai/v1/files/a");
  ASSERT_TRUE(path);
  EXPECT_EQ(path->provider, "openai");
  EXPECT_EQ(path->rest, "/v1/files/a");
  EXPECT_FALSE(split_provider_path("/v1/files"));
  EXPECT_FALSE(split_provider_path("/providers/openai"));
  EXPECT_FALSE(split_provider_path("/providers//v1"));
}

TEST(ChooseProvider, ByPathHeaderOrRouteInThisOrder) {
  const ModelTable models_table = table();
  EXPECT_EQ(*models_table.choose_provider({"qwen", "", "local"}), "qwen");
  EXPECT_EQ(*models_table.choose_provider({"", "openai", "local"}), "openai");
  EXPECT_EQ(*models_table.choose_provider({"", "", "local"}), "local");
  EXPECT_EQ(*models_table.choose_provider({"qwen", "qwen", ""}), "qwen");
}

TEST(ChooseProvider, TheOnlyOneNeedsNoName) {
  EXPECT_EQ(*ModelTable(providers({"local"}), {}).choose_provider({}), "local");
}

TEST(ChooseProvider, SaysWhatIsMissing) {
  const auto none = table().choose_provider({});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::bad_request);
  EXPECT_THAT(none.error().text, HasSubstr("x-sluice-provider"));
  EXPECT_THAT(none.error().text, HasSubstr("local, openai, qwen"));
}

TEST(ChooseProvider, RefusesUnknownAndContradictingNames) {
  const auto unknown = table().choose_provider({"", "opnai", ""});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, ErrorKind::not_found);
  EXPECT_THAT(unknown.error().text, HasSubstr("Did you mean \"openai\"?"));

  const auto torn = table().choose_provider({"openai", "qwen", ""});
  ASSERT_FALSE(torn);
  EXPECT_EQ(torn.error().kind, ErrorKind::bad_request);

  EXPECT_THAT(table().choose_provider({"claude", "", ""}).error().text, HasSubstr("ANTHROPIC_API_KEY is not set"));
}

}  // namespace
}  // namespace sluice
