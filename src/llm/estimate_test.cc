#include "llm/estimate.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::llm {
namespace {

TEST(Estimate, OneTokenForFourLettersOfEnglish) {
  EXPECT_EQ(estimate_tokens(""), 0u);
  EXPECT_EQ(estimate_tokens("a"), 1u);
  EXPECT_EQ(estimate_tokens("abcd"), 1u);
  EXPECT_EQ(estimate_tokens("abcde"), 2u);
  EXPECT_EQ(estimate_tokens(std::string(4000, 'a')), 1000u);
}

TEST(Estimate, OneTokenForACharacterOfChineseJapaneseKorean) {
  EXPECT_EQ(estimate_tokens("今天天气"), 4u);
  EXPECT_EQ(estimate_tokens("こんにちは"), 5u);
  EXPECT_EQ(estimate_tokens("안녕"), 2u);
  EXPECT_EQ(estimate_tokens("😀"), 1u);
}

TEST(Estimate, LettersOfOtherScriptsAreBetween) {
  EXPECT_EQ(estimate_tokens("Привет"), 3u);
  EXPECT_EQ(estimate_tokens("naïve"), 2u);
}

TEST(Estimate, LongTextsAreTheSumOfTheirParts) {
  const std::string part = "abc今ж😀";
  for (std::size_t count = 0; count < 200; ++count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += part;
    ASSERT_EQ(quarter_tokens(text), count * (3 + 4 + 2 + 4)) << count;
  }
}

TEST(Estimate, AnyBytesHaveOne) { EXPECT_LE(estimate_tokens(std::string(1000, '\xff')), 1000u); }

}  // namespace
}  // namespace sluice::llm
