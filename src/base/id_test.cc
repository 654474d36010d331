#include "base/id.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace sluice::id {
namespace {

using testing::MatchesRegex;

constexpr const char* parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(RequestId, OursAreUniqueAndValid) {
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(new_request_id());
  EXPECT_EQ(ids.size(), 1000u);
  EXPECT_THAT(*ids.begin(), MatchesRegex("req_[0-9a-f]{32}"));
  EXPECT_TRUE(is_valid_request_id(*ids.begin()));
}

TEST(RequestId, KeepsWhatAClientMayName) {
  for (const std::string good : {"1", "req-42", "018f3d1c-7e2a-7cc3-98c4-dc0c0c07398f", "urn:job/7=@x", "a+b%20c~"}) {
    EXPECT_EQ(request_id(good), good);
  }
  EXPECT_EQ(request_id(std::string(128, 'a')), std::string(128, 'a'));
}

TEST(RequestId, ReplacesWhatCouldDoHarmInLogsAndHeaders) {
  for (const std::string& bad :
       {std::string(), std::string(129, 'a'), std::string("a b"), std::string("a\"b"), std::string("a\\b"),
        std::string("a\r\nx: y"), std::string("a\tb"), std::string("a\0b", 3), std::string("caf\xc3\xa9"),
        std::string("a,b"), std::string("a;b"), std::string("<a>")}) {
    EXPECT_THAT(request_id(bad), MatchesRegex("req_[0-9a-f]{32}")) << bad;
  }
}

TEST(Traceparent, IsRead) {
  const auto context = parse_traceparent(parent);
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(context->parent, "00f067aa0ba902b7");
  EXPECT_EQ(context->flags, 1);
}

TEST(Traceparent, OfALaterVersionIsReadAsFarAsKnown) {
  EXPECT_TRUE(parse_traceparent("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
  EXPECT_TRUE(parse_traceparent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-else"));
  EXPECT_FALSE(parse_traceparent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.what-else"));
}

TEST(Traceparent, IsRefusedWhenInvalid) {
  for (const char* bad : {"", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
                          "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
                          "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                          "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                          "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                          "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                          "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                          "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
                          "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
                          "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01"}) {
    EXPECT_FALSE(parse_traceparent(bad)) << bad;
  }
}

TEST(Traceparent, ChildKeepsTheTraceAndNamesItsOwnSpan) {
  const std::string child = child_traceparent(parent);
  EXPECT_THAT(child, MatchesRegex("00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01"));
  EXPECT_NE(child, parent);
  EXPECT_NE(child, child_traceparent(parent));
  EXPECT_THAT(child_traceparent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-fe-x"),
              MatchesRegex("00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-02"));
}

TEST(Traceparent, IsMadeWhenThereIsNoValidOne) {
  for (const char* bad : {"", "nonsense"}) {
    const std::string made = child_traceparent(bad);
    EXPECT_TRUE(parse_traceparent(made)) << made;
    EXPECT_EQ(made.size(), 55u);
  }
}

}  // namespace
}  // namespace sluice::id
