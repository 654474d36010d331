#include "net/address.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice::net {
namespace {

TEST(Address, ParsesWhereToListen) {
  EXPECT_EQ(Address::parse("127.0.0.1:8080")->to_string(), "127.0.0.1:8080");
  EXPECT_EQ(Address::parse("[::1]:80")->to_string(), "[::1]:80");
  EXPECT_EQ(Address::parse("[2001:DB8:0::1]:443")->to_string(), "[2001:db8::1]:443");
  EXPECT_EQ(Address::parse(":8080")->to_string(), "0.0.0.0:8080");
  EXPECT_EQ(Address::parse("localhost:0")->to_string(), "127.0.0.1:0");
}

TEST(Address, SaysWhatIsWrong) {
  for (const char* text : {"", "a:b", "1.2.3.4:65536", "1.2.3.4:-1", "1.2.3.4:", "[::1", "[::1]80", "[1.2.3.4]:80"}) {
    const Result<Address> address = Address::parse(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().text, "not of the form HOST:PORT") << text;
    EXPECT_EQ(address.error().kind, ErrorKind::config);
  }
  EXPECT_EQ(Address::parse("1.2.3.4").error().text, "the port is missing");
  EXPECT_EQ(Address::parse("::1").error().text, "the port is missing");
  EXPECT_EQ(Address::parse("example.com:80").error().text, "\"example.com\" is not an IP address");
  EXPECT_EQ(Address::parse("1.2.3:80").error().text, "\"1.2.3\" is not an IP address");
}

TEST(Address, TakesLiteralsOnly) {
  EXPECT_EQ(Address::from_literal("::ffff:1.2.3.4", 5)->to_string(), "[::ffff:1.2.3.4]:5");
  EXPECT_EQ(Address::from_literal("[::1]", 5)->host(), "::1");
  EXPECT_FALSE(Address::from_literal("localhost", 5));
  EXPECT_FALSE(Address::from_literal("0x7f.1", 5));
  EXPECT_FALSE(Address::from_literal("fe80::1%eth0", 5));
  EXPECT_FALSE(Address::from_literal(std::string_view("1.2.3.4\0x", 9), 5));
}

TEST(Address, GoesThroughTheSystemsForm) {
  for (const char* text : {"10.1.2.3:99", "[fd00::7]:1"}) {
    const Address address = *Address::parse(text);
    EXPECT_EQ(*Address::from_system(address.data()), address);
  }
  const sockaddr unix_socket{.sa_family = AF_UNIX, .sa_data = {}};
  EXPECT_FALSE(Address::from_system(&unix_socket));
}

TEST(Address, ComparesWhatItMeans) {
  EXPECT_EQ(*Address::parse("[0:0::1]:80"), *Address::parse("[::1]:80"));
  EXPECT_FALSE(*Address::parse("1.2.3.4:80") == *Address::parse("1.2.3.4:81"));
  EXPECT_FALSE(*Address::parse("0.0.0.0:80") == *Address::parse("[::]:80"));
}

TEST(Address, KnowsLoopback) {
  EXPECT_TRUE(Address::parse("127.9.9.9:1")->is_loopback());
  EXPECT_TRUE(Address::parse("[::1]:1")->is_loopback());
  EXPECT_FALSE(Address::parse("128.0.0.1:1")->is_loopback());
}

TEST(HostPort, SplitsAndJoins) {
  EXPECT_EQ(split_host_port("example.com")->host, "example.com");
  EXPECT_FALSE(split_host_port("example.com")->port);
  EXPECT_EQ(split_host_port("example.com:80")->port, 80);
  EXPECT_EQ(split_host_port("[::1]")->host, "::1");
  EXPECT_EQ(split_host_port("::1")->host, "::1");
  EXPECT_EQ(join_host_port("::1", 443), "[::1]:443");
  EXPECT_EQ(join_host_port("example.com", 443), "example.com:443");
}

}  // namespace
}  // namespace sluice::net
