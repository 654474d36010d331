#include "http/url.h"

#include <gtest/gtest.h>

namespace sluice::http {
namespace {

TEST(Url, TakesAnAddressApart) {
  const Result<Url> url = parse_url("HTTPS://API.Example.com/v1/");
  ASSERT_TRUE(url.has_value());
  EXPECT_TRUE(url->tls());
  EXPECT_EQ(url->host, "api.example.com");
  EXPECT_EQ(url->port, 443);
  EXPECT_EQ(url->path, "/v1");
  EXPECT_EQ(url->authority(), "api.example.com");
  EXPECT_EQ(url->origin(), "https://api.example.com:443");
  EXPECT_EQ(url->to_string(), "https://api.example.com/v1");
}

TEST(Url, KnowsPortsAndAddressLiterals) {
  const Result<Url> six = parse_url("http://[::1]:8000");
  ASSERT_TRUE(six.has_value());
  EXPECT_EQ(six->host, "::1");
  EXPECT_EQ(six->authority(), "[::1]:8000");
  EXPECT_EQ(six->path, "");
  EXPECT_EQ(parse_url("http://[::1]")->authority(), "[::1]");
  EXPECT_EQ(parse_url("http://127.0.0.1:80/a/b//")->to_string(), "http://127.0.0.1/a/b");
}

TEST(Url, RefusesWhatIsNoBaseUrl) {
  for (const std::string_view text :
       {"", "example.com", "ftp://example.com", "http://", "http:///x", "http://u:p@example.com", "http://a:0",
        "http://a:70000", "http://a:x", "http://a b/", "http://a/b c", "http://a/?q", "http://a/#f", "http://[::1",
        "http://a/\xE4", "http://a:", "http://[zz]/"}) {
    const Result<Url> url = parse_url(text);
    ASSERT_FALSE(url.has_value()) << text;
    EXPECT_EQ(url.error().kind, ErrorKind::config);
    EXPECT_EQ(url.error().text.find("u:p"), std::string::npos) << "no secrets in errors";
  }
}

TEST(Url, PercentEncodingRoundTrips) {
  const std::string text = "a b/c?d=\xE4\xBD\xA0&%+~";
  EXPECT_EQ(percent_encode(text), "a%20b%2Fc%3Fd%3D%E4%BD%A0%26%25%2B~");
  EXPECT_EQ(percent_decode(percent_encode(text)), text);
  EXPECT_EQ(percent_decode("%4g"), std::nullopt);
  EXPECT_EQ(percent_decode("%4"), std::nullopt);
  EXPECT_EQ(percent_decode("%"), std::nullopt);
  EXPECT_EQ(percent_decode("a+b"), "a+b");
}

TEST(Url, FindsQueryValues) {
  EXPECT_EQ(query_value("model=gpt%2D4o&limit=2", "model"), "gpt-4o");
  EXPECT_EQ(query_value("model=a&model=b", "model"), "a");
  EXPECT_EQ(query_value("x=a+b", "x"), "a b");
  EXPECT_EQ(query_value("flag", "flag"), "");
  EXPECT_EQ(query_value("xmodel=1", "model"), std::nullopt);
  EXPECT_EQ(query_value("", "model"), std::nullopt);
}

}  // namespace
}  // namespace sluice::http
