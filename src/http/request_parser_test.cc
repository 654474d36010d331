#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "http/parser.h"
#include "http/parser_test_support.h"

namespace sluice::http {
namespace {

using namespace std::string_literals;
using testing::Parsed;

Parsed parse_request(std::string_view input, HeadLimits limits = {}) {
  RequestParser parser(limits);
  const Parsed whole = testing::parse_whole(parser, input);
  RequestParser other(limits);
  const Parsed bytewise = testing::parse_bytewise(other, input);
  EXPECT_EQ(whole.error, bytewise.error) << input;
  if (whole.error.empty()) EXPECT_EQ(whole, bytewise) << input;
  return whole;
}

TEST(RequestParser, GivesHeadBodyAndEnd) {
  const std::string message =
      "POST /v1/chat/completions?x=1 HTTP/1.1\r\nHost: a.example\r\nContent-Type:application/json \r\n"
      "Content-Length: 5\r\n\r\nhello";
  const Parsed parsed = parse_request(message + "GET / HTTP/1.1\r\n");
  EXPECT_EQ(parsed.head,
            "POST /v1/chat/completions?x=1 1.1\nHost=a.example\nContent-Type=application/json\nContent-Length=5\n");
  EXPECT_EQ(parsed.body, "hello");
  EXPECT_TRUE(parsed.complete);
  EXPECT_EQ(parsed.consumed, message.size()) << "the next message stays with the caller";
}

TEST(RequestParser, AMessageWithoutBodyEndsWithoutInput) {
  RequestParser parser;
  const Result<ParseStep> head = parser.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET");
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->state, ParseStep::State::head);
  EXPECT_EQ(head->consumed, 27u);
  EXPECT_FALSE(parser.has_body());
  EXPECT_EQ(parser.feed("")->state, ParseStep::State::end);
}

TEST(RequestParser, ServesSeveralMessagesOfOneConnection) {
  RequestParser parser;
  const std::string input =
      "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n"
      "GET /b HTTP/1.1\r\nHost: a\r\n\r\n";
  const Parsed first = testing::parse_whole(parser, input);
  EXPECT_EQ(first.body, "abc");
  EXPECT_EQ(first.trailers, "X-Sum=1\n");
  parser.reset();
  const Parsed second = testing::parse_whole(parser, std::string_view(input).substr(first.consumed));
  EXPECT_EQ(second.head, "GET /b 1.1\nHost=a\n");
  EXPECT_TRUE(second.complete);
  EXPECT_TRUE(second.trailers.empty());
}

TEST(RequestParser, ReportsWhatTheHeadMeans) {
  RequestParser parser;
  testing::parse_whole(parser, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-Continue\r\n\r\n");
  EXPECT_TRUE(parser.expects_continue());
  EXPECT_TRUE(parser.keep_alive());
  EXPECT_TRUE(parser.has_body());
  EXPECT_EQ(parser.content_length(), 3u);

  parser.reset();
  testing::parse_whole(parser,
                       "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n");
  EXPECT_EQ(parser.upgrade(), "websocket");
  EXPECT_FALSE(parser.expects_continue());
  EXPECT_EQ(parser.content_length(), std::nullopt);

  parser.reset();
  testing::parse_whole(parser, "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: x, close\r\n\r\n");
  EXPECT_EQ(parser.upgrade(), "") << "Connection does not list it";
  EXPECT_FALSE(parser.keep_alive());

  parser.reset();
  testing::parse_whole(parser, "GET / HTTP/1.0\r\n\r\n");
  EXPECT_FALSE(parser.keep_alive());
  parser.reset();
  testing::parse_whole(parser, "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
  EXPECT_TRUE(parser.keep_alive());
}

TEST(RequestParser, TurnsAbsoluteTargetsIntoOriginForm) {
  const auto target = [](std::string_view line, std::string_view host) {
    const Parsed parsed = parse_request(std::string(line) + " HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n");
    return parsed.error.empty() ? parsed.head.substr(0, parsed.head.find(" 1.1")) : parsed.error;
  };
  EXPECT_EQ(target("GET http://a.example/x?y", "a.example"), "GET /x?y");
  EXPECT_EQ(target("GET HTTP://A.example:80/x", "a.EXAMPLE"), "GET /x");
  EXPECT_EQ(target("GET https://a.example/x", "a.example:443"), "GET /x");
  EXPECT_EQ(target("GET http://a.example", "a.example"), "GET /");
  EXPECT_EQ(target("GET http://a.example?q", "a.example"), "GET /?q");
  EXPECT_EQ(target("OPTIONS http://a.example", "a.example"), "OPTIONS *");
  EXPECT_EQ(target("OPTIONS *", "a.example"), "OPTIONS *");
  EXPECT_EQ(target("GET http://a.example:8080/", "a.example"), "host_mismatch");
  EXPECT_EQ(target("GET http://b.example/", "a.example"), "host_mismatch");
  EXPECT_EQ(target("GET http://u@a.example/", "a.example"), "target");
  EXPECT_EQ(target("GET ftp://a.example/", "a.example"), "target");
  EXPECT_EQ(target("GET *", "a.example"), "target");
}

TEST(RequestParser, ToleratesOneEmptyLineBeforeTheRequestLine) {
  const Parsed parsed = parse_request("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(parsed.complete);
  EXPECT_EQ(parsed.head, "GET / 1.1\nHost=a\n");
  EXPECT_EQ(parse_request("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").error, "start_line");
}

TEST(RequestParser, PassesUnusualButValidHeads) {
  EXPECT_TRUE(parse_request("get /a%20b|{}\"\\ HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n").complete);
  EXPECT_TRUE(parse_request("M-SEARCH / HTTP/1.1\r\nHOST: a_b.example:65535\r\nX: \t \r\nY:\xE4\xBD\xA0 ok\tx\r\n\r\n")
                  .complete);
  EXPECT_TRUE(parse_request("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").complete);
  EXPECT_TRUE(parse_request("GET / HTTP/1.0\r\nHost: a\r\nExpect: magic\r\n\r\n").complete) << "1.0 has no Expect";
  EXPECT_TRUE(parse_request("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n").complete);
}

struct Refused {
  std::string input;
  std::string reason;
  int status = 400;
};

class RefusedRequest : public ::testing::TestWithParam<Refused> {};

TEST_P(RefusedRequest, IsRefusedHoweverItIsSliced) {
  const Refused& refused = GetParam();
  EXPECT_EQ(parse_request(refused.input).error, refused.reason) << refused.input;
  RequestParser parser;
  testing::parse_whole(parser, refused.input);
  EXPECT_EQ(parser.reject_status(), refused.status);
}

std::string with_field(std::string_view lines) {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n\r\n";
}
std::string with_line(std::string_view line) { return std::string(line) + "\r\nHost: a\r\n\r\n"; }
std::string with_chunks(std::string_view body) {
  return "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(body);
}

INSTANTIATE_TEST_SUITE_P(
    Smuggling, RefusedRequest,
    ::testing::Values(
        Refused{with_field("Content-Length: 3\r\nTransfer-Encoding: chunked"), "cl_te"},
        Refused{with_field("Transfer-Encoding: chunked\r\nContent-Length: 3"), "cl_te"},
        Refused{with_field("Transfer-Encoding: gzip\r\nContent-Length: 3"), "cl_te"},
        Refused{with_field("Content-Length: 3\r\nContent-Length: 3"), "bad_content_length"},
        Refused{with_field("Content-Length: 3\r\nContent-Length: 4"), "bad_content_length"},
        Refused{with_field("Content-Length: 3, 3"), "bad_content_length"},
        Refused{with_field("Content-Length: +3"), "bad_content_length"},
        Refused{with_field("Content-Length: -3"), "bad_content_length"},
        Refused{with_field("Content-Length: 3 3"), "bad_content_length"},
        Refused{with_field("Content-Length: 0x3"), "bad_content_length"},
        Refused{with_field("Content-Length: 3a"), "bad_content_length"},
        Refused{with_field("Content-Length:"), "bad_content_length"},
        Refused{with_field("Content-Length: 9223372036854775808"), "bad_content_length"},
        Refused{with_field("Content-Length: 18446744073709551616"), "bad_content_length"},
        Refused{with_field("Content-Length : 3"), "field_name"},
        Refused{with_field("Transfer-Encoding : chunked"), "field_name"},
        Refused{with_field("Transfer-Encoding: xchunked"), "transfer_encoding", 501},
        Refused{with_field("Transfer-Encoding: chunked, chunked"), "transfer_encoding", 501},
        Refused{with_field("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), "transfer_encoding", 501},
        Refused{with_field("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"), "transfer_encoding", 501},
        Refused{with_field("Transfer-Encoding: gzip, chunked"), "transfer_encoding", 501},
        Refused{with_field("Transfer-Encoding: identity"), "transfer_encoding", 501},
        Refused{with_field("Transfer-Encoding: \x0b"
                           "chunked"),
                "control"},
        Refused{with_field("Transfer-Encoding: \"chunked\""), "transfer_encoding", 501},
        Refused{with_field("Transfer-Encoding:"), "transfer_encoding", 501},
        Refused{"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "te_in_http_1_0"}));

INSTANTIATE_TEST_SUITE_P(
    Lines, RefusedRequest,
    ::testing::Values(Refused{with_field("X: a\r\n b"), "obs_fold"}, Refused{with_field("X: a\r\n\tb"), "obs_fold"},
                      Refused{"GET / HTTP/1.1\r\n Host: a\r\n\r\n", "obs_fold"},
                      Refused{"GET / HTTP/1.1\nHost: a\n\n", "bare_lf"}, Refused{with_field("X: a\nY: b"), "bare_lf"},
                      Refused{with_field("X: a\rY: b"), "bare_cr"}, Refused{"GET / HTTP/1.1\r\r\n", "bare_cr"},
                      Refused{with_field("X: a\0b"s), "nul"}, Refused{with_field("X\0: b"s), "nul"},
                      Refused{with_field("X: a\x1b[0m"), "control"}, Refused{with_field("X: a\x7f"), "control"},
                      Refused{with_field(": b"), "field_name"}, Refused{with_field("no colon"), "field_name"},
                      Refused{with_field("X Y: b"), "field_name"}, Refused{with_field("X\xE4: b"), "field_name"},
                      Refused{with_field("X(: b"), "field_name"}));

INSTANTIATE_TEST_SUITE_P(
    RequestLine, RefusedRequest,
    ::testing::Values(
        Refused{with_line(" GET / HTTP/1.1"), "start_line"}, Refused{with_line("GET"), "start_line"},
        Refused{"\r\n\r\n", "start_line"}, Refused{with_line("GET / HTTP/1.1 "), "target"},
        Refused{with_line("GET  / HTTP/1.1"), "target"}, Refused{with_line("GET /a b HTTP/1.1"), "target"},
        Refused{with_line("GET /\xE4 HTTP/1.1"), "target"}, Refused{with_line("GET /#x HTTP/1.1"), "target"},
        Refused{with_line("GET /\tx HTTP/1.1"), "target"}, Refused{with_line("GET x HTTP/1.1"), "target"},
        Refused{with_line("G@T / HTTP/1.1"), "method"}, Refused{with_line("G\xE4T / HTTP/1.1"), "method"},
        Refused{with_line("CONNECT a:443 HTTP/1.1"), "connect"}, Refused{with_line("GET /"), "version", 505},
        Refused{with_line("GET / HTTP/2.0"), "version", 505},
        Refused{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "version", 505},
        Refused{with_line("GET / HTTP/1.2"), "version", 505}, Refused{with_line("GET / http/1.1"), "version", 505},
        Refused{with_line("GET / HTTP/0.9"), "version", 505}, Refused{with_line("GET / HTTP/1.10"), "version", 505},
        Refused{"\x16\x03\x01\x02", "control"}));

INSTANTIATE_TEST_SUITE_P(
    HostAndExpect, RefusedRequest,
    ::testing::Values(
        Refused{"GET / HTTP/1.1\r\n\r\n", "host"}, Refused{with_field("Host: a"), "host"},
        Refused{"GET / HTTP/1.1\r\nHost:\r\n\r\n", "host"}, Refused{"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "host"},
        Refused{"GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", "host"}, Refused{"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "host"},
        Refused{"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "host"},
        Refused{"GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n", "host"},
        Refused{"GET / HTTP/1.1\r\nHost: a:\r\n\r\n", "host"}, Refused{"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "host"},
        Refused{"GET / HTTP/1.0\r\nHost: a b\r\n\r\n", "host"},
        Refused{with_field("Content-Length: 1\r\nExpect: 200-ok"), "expectation", 417}));

INSTANTIATE_TEST_SUITE_P(
    Chunks, RefusedRequest,
    ::testing::Values(Refused{with_chunks("x\r\n"), "chunk_size"}, Refused{with_chunks("\r\n"), "chunk_size"},
                      Refused{with_chunks("-1\r\n"), "chunk_size"}, Refused{with_chunks("0x1\r\n"), "chunk_size"},
                      Refused{with_chunks(" 1\r\n"), "chunk_size"}, Refused{with_chunks("1 1\r\n"), "chunk_size"},
                      Refused{with_chunks("10000000000000000\r\n"), "chunk_size"},
                      Refused{with_chunks("00000000000000001\r\n"), "chunk_size"},
                      Refused{with_chunks("1\n"), "chunk_end"}, Refused{with_chunks("1\rx"), "chunk_end"},
                      Refused{with_chunks("1\r\nab"), "chunk_end"}, Refused{with_chunks("1\r\na\n"), "chunk_end"},
                      Refused{with_chunks("1;x\n"), "chunk_end"},
                      Refused{with_chunks("1;" + std::string(257, 'x') + "\r\n"), "chunk_extension"},
                      Refused{with_chunks("1;\x01\r\n"), "chunk_extension"},
                      Refused{with_chunks("0\r\nX: 1\n\r\n"), "bare_lf"},
                      Refused{with_chunks("0\r\n X: 1\r\n\r\n"), "obs_fold"},
                      Refused{with_chunks("0\r\nContent-Length: 1\r\n\r\n"), "trailer_field"},
                      Refused{with_chunks("0\r\nHost: b\r\n\r\n"), "trailer_field"},
                      Refused{with_chunks("0\r\nX : 1\r\n\r\n"), "trailer_field"}));

TEST(RequestParser, BoundsTheHead) {
  const HeadLimits limits{200, 3, 40};
  const auto reason = [&limits](const std::string& input, int status) {
    RequestParser parser(limits);
    const Parsed parsed = testing::parse_whole(parser, input);
    EXPECT_EQ(parser.reject_status(), status);
    return parse_request(input, limits).error;
  };
  const std::string long_text(300, 'a');
  EXPECT_EQ(reason("GET /" + long_text, 414), "target_length");
  EXPECT_EQ(reason("GET /" + long_text.substr(0, 40) + " HTTP/1.1\r\nHost: a\r\n\r\n", 414), "target_length");
  EXPECT_EQ(reason(with_field("X: " + long_text), 431), "header_bytes");
  EXPECT_EQ(reason(with_field("A: 1\r\nB: 2\r\nC: 3"), 431), "header_count");
  EXPECT_EQ(reason(with_chunks("0\r\nX: " + long_text), 431), "trailer_size");
  EXPECT_EQ(reason(with_chunks("0\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\n"), 431), "trailer_size");
}

TEST(RequestParser, AHeadOfExactlyTheLimitPasses) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  EXPECT_TRUE(parse_request(head, {head.size(), 1, 1}).complete);
  EXPECT_EQ(parse_request(head, {head.size() - 1, 1, 1}).error, "header_bytes");
}

TEST(RequestParser, ErrorsBlameTheClient) {
  RequestParser parser;
  const Result<ParseStep> step = parser.feed("GET / HTTP/3.0\r\n\r\n");
  ASSERT_FALSE(step.has_value());
  EXPECT_EQ(step.error().source, ErrorSource::client);
  EXPECT_EQ(step.error().kind, ErrorKind::bad_request);
  EXPECT_EQ(step.error().text, "only HTTP/1.0 and HTTP/1.1 are spoken here");
}

TEST(RequestParser, BodyViewsPointIntoTheInput) {
  RequestParser parser;
  (void)parser.feed("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string_view input = "5 ;a=b\r\nhello\r\n0\r\n\r\n";
  const Result<ParseStep> step = parser.feed(input);
  EXPECT_EQ(step->body, "hello");
  EXPECT_EQ(step->body.data(), input.data() + 8);
}

}  // namespace
}  // namespace sluice::http
