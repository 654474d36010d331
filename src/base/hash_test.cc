#include "base/hash.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::hash {
namespace {

// The published value of XXH3 for no bytes: fingerprints that are stored must not change with the library.
TEST(Hash, IsXxh3) {
  EXPECT_EQ(of(""), 0x2d06800538d394c2U);
  EXPECT_EQ(of128(""), (Hash128{0x6001c324468d497fU, 0x99aa06d3014798d8U}));
}

TEST(Hash, DependsOnEveryByteAndTheSeed) {
  std::string text(1000, 'a');
  const std::uint64_t before = of(text);
  const Hash128 before128 = of128(text);
  text[777] = 'b';
  EXPECT_NE(of(text), before);
  EXPECT_NE(of128(text), before128);
  EXPECT_NE(of(text), of(text, 1));
  EXPECT_EQ(of(text), of(std::string(text)));
}

}  // namespace
}  // namespace sluice::hash
