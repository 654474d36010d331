#include "base/secret.h"

#include <gtest/gtest.h>

#include <sstream>

namespace sluice {
namespace {

TEST(Secret, IsNeverPrinted) {
  const Secret secret("sk-very-secret");
  std::ostringstream stream;
  stream << secret;
  EXPECT_EQ(stream.str(), "***");
  EXPECT_EQ(fmt::format("key={} padded={:>5}", secret, secret), "key=*** padded=  ***");
  EXPECT_EQ(secret.reveal(), "sk-very-secret");
}

TEST(Secret, PrintsTheSameWhetherSetOrNot) { EXPECT_EQ(fmt::format("{}", Secret()), "***"); }

}  // namespace
}  // namespace sluice
