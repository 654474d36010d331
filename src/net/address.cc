#include "net/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <charconv>
#include <cstring>

#include "base/text.h"

namespace sluice::net {
namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

std::optional<HostPort> with_port(std::string_view host, std::string_view port_text) {
  const std::optional<std::uint16_t> port = parse_port(port_text);
  if (!port) return std::nullopt;
  return HostPort{std::string(host), port};
}

std::optional<HostPort> split_bracketed(std::string_view text) {
  const std::size_t end = text.find(']');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view host = text.substr(1, end - 1);
  const std::string_view rest = text.substr(end + 1);
  if (host.find(':') == std::string_view::npos) return std::nullopt;
  if (rest.empty()) return HostPort{std::string(host), std::nullopt};
  return rest.front() == ':' ? with_port(host, rest.substr(1)) : std::nullopt;
}

tl::unexpected<Error> bad_address(std::string_view why) {
  return fail(ErrorKind::config, ErrorSource::gateway, std::string(why));
}

}  // namespace

std::optional<HostPort> split_host_port(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (text.front() == '[') return split_bracketed(text);
  const std::size_t colon = text.find(':');
  const bool bare_v6 = colon != text.rfind(':');
  if (bare_v6 || colon == std::string_view::npos) return HostPort{std::string(text), std::nullopt};
  return with_port(text.substr(0, colon), text.substr(colon + 1));
}

std::string join_host_port(std::string_view host, std::uint16_t port) {
  const bool v6 = host.find(':') != std::string_view::npos;
  return v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Address::Address() {
  std::memset(&storage_, 0, sizeof storage_);
  storage_.v4.sin_family = AF_INET;
}

Result<Address> Address::parse(std::string_view text) {
  const std::optional<HostPort> parts = split_host_port(text);
  if (!parts) return bad_address("not of the form HOST:PORT");
  if (!parts->port) return bad_address("the port is missing");
  std::string_view host = parts->host;
  if (host.empty()) host = "0.0.0.0";
  if (text::equal_ignoring_case(host, "localhost")) host = "127.0.0.1";
  const std::optional<Address> address = from_literal(host, *parts->port);
  if (!address) return bad_address(fmt::format("\"{}\" is not an IP address", host));
  return *address;
}

std::optional<Address> Address::from_literal(std::string_view host, std::uint16_t port) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  const std::string text(host);
  if (text.find('\0') != std::string::npos) return std::nullopt;
  Address result;
  if (::inet_pton(AF_INET, text.c_str(), &result.storage_.v4.sin_addr) != 1) {
    std::memset(&result.storage_, 0, sizeof result.storage_);
    if (::inet_pton(AF_INET6, text.c_str(), &result.storage_.v6.sin6_addr) != 1) return std::nullopt;
    result.storage_.v6.sin6_family = AF_INET6;
  }
  result.set_port(port);
  return result;
}

std::optional<Address> Address::from_system(const sockaddr* address) {
  if (address->sa_family != AF_INET && address->sa_family != AF_INET6) return std::nullopt;
  Address result;
  const std::size_t size = address->sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  std::memcpy(&result.storage_, address, size);
  return result;
}

std::uint16_t Address::port() const { return ntohs(is_v6() ? storage_.v6.sin6_port : storage_.v4.sin_port); }

void Address::set_port(std::uint16_t port) { (is_v6() ? storage_.v6.sin6_port : storage_.v4.sin_port) = htons(port); }

bool Address::is_loopback() const {
  if (is_v6()) return IN6_IS_ADDR_LOOPBACK(&storage_.v6.sin6_addr);
  return (ntohl(storage_.v4.sin_addr.s_addr) >> 24) == 127;
}

std::string Address::host() const {
  char text[INET6_ADDRSTRLEN] = "";
  ::inet_ntop(family(), bytes().data(), text, sizeof text);
  return text;
}

std::string_view Address::bytes() const {
  if (is_v6()) return {reinterpret_cast<const char*>(&storage_.v6.sin6_addr), sizeof storage_.v6.sin6_addr};
  return {reinterpret_cast<const char*>(&storage_.v4.sin_addr), sizeof storage_.v4.sin_addr};
}

bool Address::operator==(const Address& other) const {
  return family() == other.family() && port() == other.port() && bytes() == other.bytes() &&
         (!is_v6() || storage_.v6.sin6_scope_id == other.storage_.v6.sin6_scope_id);
}

}  // namespace sluice::net
