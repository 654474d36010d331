#include "net/proxy_env.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace sluice::net {
namespace {

TEST(ProxyUrl, IsTakenApart) {
  const Proxy full = *Proxy::parse("http://us%40er:p%3Ass/@Proxy.example:3128/");
  EXPECT_EQ(full.host, "Proxy.example");
  EXPECT_EQ(full.port, 3128);
  EXPECT_EQ(full.credentials.reveal(), "us@er:p:ss/");
  EXPECT_EQ(Proxy::parse("proxy.example")->port, 1080);
  EXPECT_EQ(Proxy::parse("HTTP://[::1]:8080")->host, "::1");
  EXPECT_EQ(Proxy::parse("http://me@proxy:1")->credentials.reveal(), "me:");
  EXPECT_EQ(Proxy::parse("http://me:100%@proxy:1")->credentials.reveal(), "me:100%");
  EXPECT_TRUE(Proxy::parse("http://proxy:1")->credentials.empty());
}

TEST(ProxyUrl, ErrorsTellNoSecret) {
  for (const char* url : {"", "http://", "http://user:hunter2@", "http://user:hunter2@host:port",
                          "socks5://user:hunter2@host", "https://user:hunter2@host:1", "http://user:hunter2@:80"}) {
    const Result<Proxy> proxy = Proxy::parse(url);
    ASSERT_FALSE(proxy) << url;
    EXPECT_EQ(proxy.error().kind, ErrorKind::config);
    EXPECT_THAT(proxy.error().text, testing::Not(testing::HasSubstr("hunter2")));
  }
  EXPECT_EQ(Proxy::parse("socks5://host").error().text, "proxy URL: \"socks5\" is not supported, only http");
}

struct Exclusion {
  const char* no_proxy;
  const char* host;
  std::uint16_t port;
  bool excluded;
};

TEST(NoProxy, Table) {
  const std::vector<Exclusion> table{
      {"", "a.example", 443, false},
      {"*", "a.example", 443, true},
      {"a.example", "a.example", 443, true},
      {"a.example", "A.Example.", 443, true},
      {"A.EXAMPLE.", "a.example", 443, true},
      {"a.example", "x.a.example", 443, true},
      {"a.example", "xa.example", 443, false},
      {".a.example", "a.example", 443, true},
      {".a.example", "x.a.example", 443, true},
      {".a.example", "xa.example", 443, false},
      {"*.a.example", "x.a.example", 443, true},
      {"x.a.example", "a.example", 443, false},
      {"b.example, a.example", "a.example", 443, true},
      {"b.example a.example", "a.example", 443, true},
      {" ,, ,a.example,", "a.example", 443, true},
      {",", "a.example", 443, false},
      {".", "a.example", 443, false},
      {"a.example:443", "a.example", 443, true},
      {"a.example:443", "a.example", 80, false},
      {".a.example:443", "x.a.example", 443, true},
      {"a.example:nonsense", "a.example", 443, false},
      {"10.0.0.1", "10.0.0.1", 80, true},
      {"10.0.0.1", "10.0.0.10", 80, false},
      {"0.1", "10.0.0.1", 80, false},
      {"10.0.0.1:80", "10.0.0.1", 80, true},
      {"10.0.0.1:80", "10.0.0.1", 81, false},
      {"10.0.0.0/8", "10.200.3.4", 80, true},
      {"10.0.0.0/8", "11.0.0.1", 80, false},
      {"192.168.4.0/22", "192.168.7.255", 80, true},
      {"192.168.4.0/22", "192.168.8.0", 80, false},
      {"0.0.0.0/0", "8.8.8.8", 80, true},
      {"10.0.0.0/33", "10.0.0.0", 80, false},
      {"10.0.0.0/", "10.0.0.0", 80, false},
      {"10.0.0.0/8", "a.example", 80, false},
      {"10.0.0.0/8", "fd00::1", 80, false},
      {"fd00::/8", "fd12::1", 80, true},
      {"fd00::/8", "[fd12::1]", 80, true},
      {"fe00::1", "fe00:0::1", 80, true},
      {"[fe00::1]", "fe00::1", 80, true},
      {"[fe00::1]:80", "fe00::1", 81, false},
  };
  for (const Exclusion& row : table) {
    EXPECT_EQ(excluded_from_proxy(row.no_proxy, row.host, row.port), row.excluded)
        << '"' << row.no_proxy << "\" " << row.host << ':' << row.port;
  }
}

struct Choice {
  Environment environment;
  const char* scheme;
  const char* host;
  const char* proxy;  ///< its host; empty: none
};

TEST(ProxyFor, Table) {
  const std::vector<Choice> table{
      {{}, "https", "a.example", ""},
      {{{"HTTPS_PROXY", "http://up"}}, "https", "a.example", "up"},
      {{{"HTTPS_PROXY", "http://up"}, {"https_proxy", "http://low"}}, "https", "a.example", "low"},
      {{{"HTTPS_PROXY", "http://up"}, {"https_proxy", ""}}, "https", "a.example", "up"},
      {{{"HTTPS_PROXY", "http://up"}}, "http", "a.example", ""},
      {{{"http_proxy", "http://up"}}, "https", "a.example", ""},
      {{{"http_proxy", "http://up"}}, "http", "a.example", "up"},
      {{{"https_proxy", "http://up"}}, "wss", "a.example", "up"},
      {{{"HTTP_PROXY", "http://up"}}, "http", "a.example", "up"},
      {{{"HTTP_PROXY", "http://evil"}, {"REQUEST_METHOD", "GET"}}, "http", "a.example", ""},
      {{{"ALL_PROXY", "http://all"}}, "https", "a.example", "all"},
      {{{"all_proxy", "http://all"}, {"HTTPS_PROXY", "http://up"}}, "https", "a.example", "up"},
      {{{"HTTPS_PROXY", "http://up"}, {"NO_PROXY", "a.example"}}, "https", "a.example", ""},
      {{{"HTTPS_PROXY", "http://up"}, {"NO_PROXY", "a.example"}, {"no_proxy", "b"}}, "https", "a.example", "up"},
      {{{"HTTPS_PROXY", "http://up"}}, "https", "localhost", ""},
      {{{"HTTPS_PROXY", "http://up"}}, "https", "127.0.0.1", ""},
      {{{"HTTPS_PROXY", "http://up"}}, "https", "[::1]", ""},
      {{{"HTTPS_PROXY", "http://up"}}, "https", "10.0.0.1", "up"},
  };
  for (const Choice& row : table) {
    const auto proxy = proxy_for(row.scheme, row.host, 443, row.environment);
    ASSERT_TRUE(proxy);
    EXPECT_EQ(*proxy ? (*proxy)->host : "", row.proxy) << &row - table.data();
  }
}

TEST(ProxyFor, NamesTheVariableThatIsWrong) {
  const auto proxy = proxy_for("https", "a.example", 443, {{"HTTPS_PROXY", "socks5://user:hunter2@x"}});
  ASSERT_FALSE(proxy);
  EXPECT_EQ(proxy.error().text, "environment variable HTTPS_PROXY: proxy URL: \"socks5\" is not supported, only http");
}

}  // namespace
}  // namespace sluice::net
