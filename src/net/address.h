#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace sluice::net {

/// "host:port" taken apart, the host without brackets. No port: `port` is empty.
struct HostPort {
  std::string host;
  std::optional<std::uint16_t> port;
};

/// Accepts "host", "host:port", "[::1]", "[::1]:80", "::1" and ":80" (empty host); nothing else, and no port above
/// 65535.
std::optional<HostPort> split_host_port(std::string_view text);

/// "host:port" with brackets around an IPv6 literal; for texts and for the Host field.
std::string join_host_port(std::string_view host, std::uint16_t port);

/// An IPv4 or IPv6 address with a port. A value: 28 bytes, compared by what it means.
class Address {
 public:
  /// 0.0.0.0:0
  Address();

  /// Where to listen: "127.0.0.1:8080", "[::1]:80", "localhost:80" (127.0.0.1), ":8080" (0.0.0.0). A name is not looked
  /// up: ErrorKind::config with the reason.
  static Result<Address> parse(std::string_view text);
  /// From an IP literal, with or without brackets; nothing if `host` is a name (or has a zone).
  static std::optional<Address> from_literal(std::string_view host, std::uint16_t port);
  /// From the system's form; nothing for other families than IPv4 and IPv6.
  static std::optional<Address> from_system(const sockaddr* address);

  int family() const { return storage_.any.sa_family; }
  bool is_v6() const { return family() == AF_INET6; }
  std::uint16_t port() const;
  void set_port(std::uint16_t port);
  /// In 127.0.0.0/8 or ::1.
  bool is_loopback() const;
  /// The address alone: "203.0.113.7", "::1".
  std::string host() const;
  /// "203.0.113.7:80", "[::1]:80".
  std::string to_string() const { return join_host_port(host(), port()); }
  /// The address in network order: 4 or 16 bytes.
  std::string_view bytes() const;

  /// For system calls.
  const sockaddr* data() const { return &storage_.any; }
  socklen_t size() const { return is_v6() ? sizeof(sockaddr_in6) : sizeof(sockaddr_in); }

  bool operator==(const Address& other) const;

 private:
  union Storage {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  };
  Storage storage_;
};

}  // namespace sluice::net
