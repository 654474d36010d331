#include "http/writer.h"

#include <gtest/gtest.h>

#include "http/parser.h"
#include "http/parser_test_support.h"

namespace sluice::http {
namespace {

Fields fields_of(std::initializer_list<Field> list) {
  Fields fields;
  for (const Field& field : list) fields.add(field.name, field.value);
  return fields;
}

std::string response(int status, const ResponseFraming& framing) {
  std::string out;
  write_response_head(out, status, fields_of({{"date", "D"}, {"x-a", "1"}}), framing);
  return out;
}

TEST(Writer, FramesResponses) {
  const std::string common = "date: D\r\nx-a: 1\r\n";
  ResponseFraming framing;
  framing.length = 5;
  framing.keep_alive = true;
  EXPECT_EQ(response(200, framing), "HTTP/1.1 200 OK\r\n" + common + "content-length: 5\r\n\r\n");
  framing.keep_alive = false;
  EXPECT_EQ(response(404, framing),
            "HTTP/1.1 404 Not Found\r\n" + common + "content-length: 5\r\nconnection: close\r\n\r\n");
  framing = {.chunked = true, .keep_alive = true};
  EXPECT_EQ(response(200, framing), "HTTP/1.1 200 OK\r\n" + common + "transfer-encoding: chunked\r\n\r\n");
  framing = {.length = 0, .keep_alive = true, .old_client = true};
  EXPECT_EQ(response(204, framing), "HTTP/1.1 204 No Content\r\n" + common + "connection: keep-alive\r\n\r\n");
  EXPECT_EQ(response(304, framing), "HTTP/1.1 304 Not Modified\r\n" + common + "connection: keep-alive\r\n\r\n");
  EXPECT_EQ(response(529, {}), "HTTP/1.1 529 Unknown\r\n" + common + "connection: close\r\n\r\n");
}

TEST(Writer, NoFieldCanBeInjected) {
  std::string out;
  const Fields evil = fields_of({{"x-a", "1\r\nx-evil: 1"},
                                 {"x-b\r\nx-evil", "1"},
                                 {"x-c", "a\nb"},
                                 {"x d", "1"},
                                 {"", "1"},
                                 {"content-length", "9"},
                                 {"Transfer-Encoding", "chunked"},
                                 {"CONNECTION", "keep-alive"},
                                 {"date", "D"},
                                 {"x-ok", "\xE4\xBD\xA0\tfine"}});
  write_response_head(out, 200, evil, {.length = 0, .keep_alive = true});
  EXPECT_EQ(out, "HTTP/1.1 200 OK\r\ndate: D\r\nx-ok: \xE4\xBD\xA0\tfine\r\ncontent-length: 0\r\n\r\n");
  out.clear();
  write_last_chunk(out, &evil);
  EXPECT_EQ(out, "0\r\ndate: D\r\nx-ok: \xE4\xBD\xA0\tfine\r\n\r\n");

  out.clear();
  EXPECT_FALSE(write_request_head(out, "GET", "/a\r\nx: y", "h", evil, {}));
  EXPECT_FALSE(write_request_head(out, "GET /", "/a", "h", evil, {}));
  EXPECT_FALSE(write_request_head(out, "GET", "/a b", "h", evil, {}));
  EXPECT_FALSE(write_request_head(out, "GET", "/a", "h\r\nx: y", evil, {}));
  EXPECT_TRUE(out.empty());
}

TEST(Writer, WritesRequestsThatOurParserReadsBack) {
  std::string out;
  const Fields fields = fields_of({{"Host", "other"}, {"Content-Type", "application/json"}, {"Upgrade", "x"}});
  ASSERT_TRUE(write_request_head(out, "POST", "/v1/x?y=1", "api.example:8080", fields, {.length = 2}));
  out += "{}";
  RequestParser parser;
  const testing::Parsed parsed = testing::parse_whole(parser, out);
  EXPECT_EQ(parsed.head,
            "POST /v1/x?y=1 1.1\nhost=api.example:8080\nContent-Type=application/json\ncontent-length=2\n");
  EXPECT_EQ(parsed.body, "{}");

  out.clear();
  ASSERT_TRUE(write_request_head(out, "GET", "/", "a", {}, {.upgrade = "websocket"}));
  EXPECT_EQ(out, "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
  out.clear();
  ASSERT_TRUE(write_request_head(out, "POST", "/", "a", {}, {.chunked = true, .close = true}));
  EXPECT_EQ(out, "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n");
}

TEST(Writer, KeepsTheProtocolOfAnUpgrade) {
  std::string out;
  write_upgrade_head(out, fields_of({{"date", "D"}, {"Upgrade", "websocket"}, {"Sec-WebSocket-Accept", "x="}}));
  EXPECT_EQ(out,
            "HTTP/1.1 101 Switching Protocols\r\ndate: D\r\nSec-WebSocket-Accept: x=\r\nupgrade: websocket\r\n"
            "connection: upgrade\r\n\r\n");
}

TEST(Writer, FramesChunks) {
  EXPECT_EQ(ChunkHead(1).text(), "1\r\n");
  EXPECT_EQ(ChunkHead(0x1f0).text(), "1f0\r\n");
  EXPECT_EQ(ChunkHead(SIZE_MAX).text(), "ffffffffffffffff\r\n");
  std::string out;
  write_last_chunk(out);
  EXPECT_EQ(out, "0\r\n\r\n");
}

TEST(Writer, AddsADate) {
  std::string out;
  write_response_head(out, 200, {}, {});
  ResponseParser parser;
  testing::parse_whole(parser, out);
  const std::string date(parser.head().fields.get("date"));
  EXPECT_EQ(date.size(), 29u);
  EXPECT_TRUE(date.ends_with(" GMT")) << date;
}

}  // namespace
}  // namespace sluice::http
