#include "base/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::text {
namespace {

TEST(Glob, MatchesAllOfTheText) {
  EXPECT_TRUE(glob_matches("/v1/*", "/v1/chat/completions"));
  EXPECT_TRUE(glob_matches("/v1/*", "/v1/"));
  EXPECT_FALSE(glob_matches("/v1/*", "/v1"));
  EXPECT_FALSE(glob_matches("/v1", "/v1/chat"));
  EXPECT_TRUE(glob_matches("*.example.com", "a.b.example.com"));
  EXPECT_FALSE(glob_matches("*.example.com", "example.com"));
  EXPECT_TRUE(glob_matches("gpt-*-mini*", "gpt-4o-mini-2024"));
  EXPECT_FALSE(glob_matches("gpt-*-mini", "gpt-4o-mini-2024"));
  EXPECT_TRUE(glob_matches("a*b*c", "abbbc-bc"));
  EXPECT_TRUE(glob_matches("", ""));
  EXPECT_TRUE(glob_matches("**", ""));
  EXPECT_FALSE(glob_matches("", "a"));
}

TEST(Glob, IgnoresCaseOnDemand) {
  EXPECT_FALSE(glob_matches("Chat.*", "chat.example.com"));
  EXPECT_TRUE(glob_matches("Chat.*", "chat.EXAMPLE.com", true));
}

TEST(Glob, HoldsAgainstPatternsMadeToBeSlow) {
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "a*";
  EXPECT_FALSE(glob_matches(pattern + "b", std::string(5000, 'a')));
}

}  // namespace
}  // namespace sluice::text
