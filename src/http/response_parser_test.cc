#include <gtest/gtest.h>

#include <string>

#include "http/parser.h"
#include "http/parser_test_support.h"

namespace sluice::http {
namespace {

using testing::Parsed;

Parsed parse_response(std::string_view input, bool head_request = false) {
  ResponseParser parser;
  parser.reset(head_request);
  const Parsed whole = testing::parse_whole(parser, input);
  ResponseParser other;
  other.reset(head_request);
  const Parsed bytewise = testing::parse_bytewise(other, input);
  EXPECT_EQ(whole.error, bytewise.error) << input;
  if (whole.error.empty()) EXPECT_EQ(whole, bytewise) << input;
  return whole;
}

bool reusable_after(std::string_view input) {
  ResponseParser parser;
  EXPECT_TRUE(testing::parse_whole(parser, input).complete) << input;
  return parser.reusable();
}

TEST(ResponseParser, ReadsABodyOfKnownLength) {
  const Parsed parsed = parse_response("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhelloHTTP");
  EXPECT_EQ(parsed.head, "200 1.1\nContent-Length=5\nX=y\n");
  EXPECT_EQ(parsed.body, "hello");
  EXPECT_TRUE(parsed.complete);
}

TEST(ResponseParser, ReadsAChunkedBodyWithTrailers) {
  const Parsed parsed = parse_response(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=\"b\"\r\n world\r\n000\r\nX-Sum: "
      "7\r\n\r\n");
  EXPECT_EQ(parsed.body, "hello world");
  EXPECT_EQ(parsed.trailers, "X-Sum=7\n");
  EXPECT_TRUE(parsed.complete);
}

TEST(ResponseParser, ABodyWithoutLengthEndsWithTheConnection) {
  ResponseParser parser;
  const Parsed parsed = testing::parse_whole(parser, "HTTP/1.0 200 OK\r\n\r\nall of it");
  EXPECT_EQ(parsed.body, "all of it");
  EXPECT_FALSE(parsed.complete);
  EXPECT_EQ(parser.feed_eof()->state, ParseStep::State::end);
  EXPECT_FALSE(parser.reusable());
}

TEST(ResponseParser, TellsAnEarlyEndFromNoAnswerAtAll) {
  ResponseParser parser;
  EXPECT_EQ(parser.feed_eof().error().kind, ErrorKind::closed);
  EXPECT_FALSE(parser.started());
  for (const std::string_view part : {"H", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
                                      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"}) {
    parser.reset(false);
    testing::parse_whole(parser, part);
    EXPECT_TRUE(parser.started());
    EXPECT_EQ(parser.feed_eof().error().kind, ErrorKind::truncated) << part;
    EXPECT_FALSE(parser.reusable());
  }
}

TEST(ResponseParser, SomeAnswersHaveNoBodyWhateverTheySay) {
  EXPECT_TRUE(parse_response("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n").complete);
  EXPECT_TRUE(parse_response("HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n").complete);
  EXPECT_TRUE(parse_response("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true).complete);
  EXPECT_TRUE(parse_response("HTTP/1.1 200 OK\r\n\r\n", true).complete);
}

TEST(ResponseParser, SkipsInterimAnswers) {
  const Parsed parsed = parse_response(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
      "2\r\n\r\nok");
  EXPECT_EQ(parsed.head, "200 1.1\nContent-Length=2\n");
  EXPECT_EQ(parsed.body, "ok");

  std::string many;
  for (int i = 0; i < 20; ++i) many += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_EQ(parse_response(many).error, "interim");
}

TEST(ResponseParser, AfterAnUpgradeTheBytesBelongToTheNewProtocol) {
  const std::string head = "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
  ResponseParser parser;
  const Parsed parsed = testing::parse_whole(parser, head + "\x81\x05hello");
  EXPECT_TRUE(parsed.complete);
  EXPECT_TRUE(parsed.body.empty());
  EXPECT_TRUE(parser.upgraded());
  EXPECT_FALSE(parser.reusable());
  EXPECT_EQ(parsed.consumed, head.size());
}

TEST(ResponseParser, KnowsWhetherTheConnectionCanBeKept) {
  EXPECT_TRUE(reusable_after("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_FALSE(reusable_after("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
  EXPECT_FALSE(reusable_after("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_TRUE(reusable_after("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"));
  EXPECT_FALSE(
      reusable_after("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n0\r\n\r\n"));
}

TEST(ResponseParser, ToleratesAMissingReasonPhrase) {
  EXPECT_TRUE(parse_response("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n").complete);
  EXPECT_TRUE(parse_response("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n").complete);
  EXPECT_TRUE(parse_response("HTTP/1.1 200 \xE5\xA5\xBD\r\nContent-Length: 0\r\n\r\n").complete);
}

TEST(ResponseParser, RefusesWhatCouldBeReadInTwoWays) {
  const auto reason = [](std::string_view fields) {
    return parse_response("HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n\r\n").error;
  };
  EXPECT_EQ(reason("Content-Length: 1\r\nTransfer-Encoding: chunked"), "cl_te");
  EXPECT_EQ(reason("Content-Length: 1\r\nContent-Length: 2"), "bad_content_length");
  EXPECT_EQ(reason("Content-Length: 1, 1"), "bad_content_length");
  EXPECT_EQ(reason("Transfer-Encoding: gzip"), "transfer_encoding");
  EXPECT_EQ(reason("X: a\r\n b"), "obs_fold");
  EXPECT_EQ(reason("X : a"), "field_name");
  EXPECT_EQ(reason("X: a\nY: b"), "bare_lf");
  EXPECT_EQ(parse_response("HTTP/2 200 OK\r\n\r\n").error, "version");
  EXPECT_EQ(parse_response("SSH-2.0-OpenSSH\r\n").error, "");
  EXPECT_EQ(parse_response("SSH-2.0-OpenSSH\r\n\r\n").error, "start_line");
  EXPECT_EQ(parse_response("HTTP/1.1 2000 OK\r\n\r\n").error, "start_line");
  EXPECT_EQ(parse_response("HTTP/1.1 099 OK\r\n\r\n").error, "start_line");
  EXPECT_EQ(parse_response("HTTP/1.1\r\n\r\n").error, "start_line");
  EXPECT_EQ(parse_response("\r\nHTTP/1.1 200 OK\r\n\r\n").error, "start_line");
}

TEST(ResponseParser, ErrorsBlameTheUpstream) {
  ResponseParser parser;
  const Result<ParseStep> step = parser.feed("nonsense\r\n\r\n");
  ASSERT_FALSE(step.has_value());
  EXPECT_EQ(step.error().source, ErrorSource::upstream);
  EXPECT_EQ(step.error().kind, ErrorKind::protocol);
}

}  // namespace
}  // namespace sluice::http
