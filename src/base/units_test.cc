#include "base/units.h"

#include <gtest/gtest.h>

namespace sluice::units {
namespace {

using namespace std::chrono_literals;

TEST(Units, ReadsDurations) {
  EXPECT_EQ(parse_duration("200ms"), 200ms);
  EXPECT_EQ(parse_duration("24h"), 24h);
  EXPECT_EQ(parse_duration("1m30s"), 90s);
  EXPECT_EQ(parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(parse_duration("2d"), 48h);
  EXPECT_EQ(parse_duration("5us"), 5us);
  EXPECT_EQ(parse_duration("0"), 0s);
  EXPECT_EQ(parse_duration("0s"), 0s);
}

TEST(Units, RefusesWhatIsNoDuration) {
  for (const char* text : {"", "5", "s", "-1s", "1x", "1s ", " 1s", "1.s", ".5s", "1..5s", "1e3s", "1h30",
                           "99999999999999h", "9223372036s9223372036s", "1.99999999999e300s"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Units, WritesDurationsShortly) {
  EXPECT_EQ(format_duration(0s), "0s");
  EXPECT_EQ(format_duration(90s), "1m30s");
  EXPECT_EQ(format_duration(24h), "24h");
  EXPECT_EQ(format_duration(1500ms), "1s500ms");
}

TEST(Units, ReadsSizes) {
  EXPECT_EQ(parse_size("64KiB"), 65536u);
  EXPECT_EQ(parse_size("32MiB"), 33554432u);
  EXPECT_EQ(parse_size("32 mib"), 33554432u);
  EXPECT_EQ(parse_size("1kB"), 1000u);
  EXPECT_EQ(parse_size("1.5KiB"), 1536u);
  EXPECT_EQ(parse_size("512B"), 512u);
  EXPECT_EQ(parse_size("512"), 512u);
  EXPECT_EQ(parse_size("0"), 0u);
}

TEST(Units, RefusesWhatIsNoSize) {
  for (const char* text : {"", "KiB", "-1", "1 KiBs", "64K", "1e3", "0x10", "99999999999GiB", "18446744073709551616"}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
}

TEST(Units, WritesSizesInTheLargestEvenUnit) {
  EXPECT_EQ(format_size(65536), "64KiB");
  EXPECT_EQ(format_size(1000), "1000B");
  EXPECT_EQ(format_size(0), "0B");
  EXPECT_EQ(format_size(3ULL << 30), "3GiB");
}

TEST(Units, WhatIsWrittenReadsBackTheSame) {
  for (const Duration value : {Duration(0), Duration(1), Duration(123456789), Duration(90s), Duration::max()}) {
    EXPECT_EQ(parse_duration(format_duration(value)), value);
  }
  for (const std::uint64_t value : {0ULL, 1ULL, 1023ULL, 1024ULL, 1536ULL, 1ULL << 40}) {
    EXPECT_EQ(parse_size(format_size(value)), value);
  }
}

}  // namespace
}  // namespace sluice::units
