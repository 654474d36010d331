#include "net/proxy_env.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <span>

#include "base/text.h"
#include "net/address.h"

namespace sluice::net {
namespace {

constexpr std::uint16_t default_proxy_port = 1080;  // curl's

constexpr std::array<const char*, 4> https_variables{"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
constexpr std::array<const char*, 4> http_variables{"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"};
constexpr std::array<const char*, 2> exclusion_variables{"no_proxy", "NO_PROXY"};
constexpr const char* cgi_mark = "REQUEST_METHOD";

tl::unexpected<Error> bad_proxy(std::string_view why) {
  return fail(ErrorKind::config, ErrorSource::gateway, fmt::format("proxy URL: {}", why));
}

std::string percent_decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    const char* const digits = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() && std::from_chars(digits, digits + 2, value, 16).ptr == digits + 2) {
      result += static_cast<char>(value);
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

Secret credentials_of(std::string_view user_info) {
  const std::size_t colon = user_info.find(':');
  const std::string user = percent_decoded(user_info.substr(0, colon));
  const std::string password =
      colon == std::string_view::npos ? std::string() : percent_decoded(user_info.substr(colon + 1));
  return Secret(user + ":" + password);
}

/// Host names as they are compared: lower case, without brackets and the final dot.
std::string canonical(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.ends_with('.')) host.remove_suffix(1);
  return text::to_lower(host);
}

bool same_leading_bits(std::string_view a, std::string_view b, std::size_t bits) {
  if (a.size() != b.size() || bits > a.size() * 8) return false;
  const std::size_t whole = bits / 8;
  if (a.substr(0, whole) != b.substr(0, whole)) return false;
  const auto rest = static_cast<unsigned>(bits % 8);
  return rest == 0 || (static_cast<unsigned char>(a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

bool in_block(std::string_view block, const Address& address) {
  const std::size_t slash = block.find('/');
  const std::optional<Address> base = Address::from_literal(block.substr(0, slash), 0);
  const std::string_view length = block.substr(slash + 1);
  std::size_t bits = 0;
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bits);
  if (!base || error != std::errc() || end != length.data() + length.size()) return false;
  return same_leading_bits(base->bytes(), address.bytes(), bits);
}

bool is_below(std::string_view host, std::string_view domain) {
  if (!host.ends_with(domain)) return false;
  return host.size() == domain.size() || host[host.size() - domain.size() - 1] == '.';
}

bool entry_matches(std::string_view entry, const std::string& host, std::uint16_t port) {
  if (entry == "*") return true;
  const std::optional<Address> address = Address::from_literal(host, 0);
  if (entry.find('/') != std::string_view::npos) return address && in_block(entry, *address);
  const std::optional<HostPort> parts = split_host_port(entry);
  if (!parts || (parts->port && *parts->port != port)) return false;
  std::string domain = canonical(parts->host);
  if (address) return Address::from_literal(domain, 0) == address;
  if (domain.starts_with("*.")) domain.erase(0, 2);
  if (domain.starts_with('.')) domain.erase(0, 1);
  return !domain.empty() && is_below(host, domain);
}

bool is_local(const std::string& host) {
  const std::optional<Address> address = Address::from_literal(host, 0);
  return address ? address->is_loopback() : is_below(host, "localhost");
}

bool is_set(const Environment& environment, const char* name) {
  const auto found = environment.find(name);
  return found != environment.end() && !found->second.empty();
}

/// The first of these variables that is set and may be trusted.
Environment::const_iterator first_of(const Environment& environment, std::span<const char* const> names) {
  for (const char* name : names) {
    const bool from_a_client = std::string_view(name) == "HTTP_PROXY" && is_set(environment, cgi_mark);
    if (is_set(environment, name) && !from_a_client) return environment.find(name);
  }
  return environment.end();
}

}  // namespace

Result<Proxy> Proxy::parse(std::string_view url) {
  if (const std::size_t at = url.find("://"); at != std::string_view::npos) {
    const std::string scheme = text::to_lower(url.substr(0, at));
    if (scheme != "http") return bad_proxy(fmt::format("\"{}\" is not supported, only http", scheme));
    url.remove_prefix(at + 3);
  }
  // A password may hold a slash that was not encoded; nothing after the last @ is secret.
  Proxy proxy;
  if (const std::size_t at = url.rfind('@'); at != std::string_view::npos) {
    proxy.credentials = credentials_of(url.substr(0, at));
    url.remove_prefix(at + 1);
  }
  const std::optional<HostPort> parts = split_host_port(url.substr(0, url.find('/')));
  if (!parts || parts->host.empty()) return bad_proxy("not of the form http://[USER:PASSWORD@]HOST[:PORT]");
  proxy.host = parts->host;
  proxy.port = parts->port.value_or(default_proxy_port);
  return proxy;
}

Environment proxy_environment() {
  Environment result;
  const auto take = [&result](std::span<const char* const> names) {
    for (const char* name : names) {
      if (const char* const value = std::getenv(name)) result[name] = value;
    }
  };
  take(https_variables);
  take(http_variables);
  take(exclusion_variables);
  take(std::array{cgi_mark});
  return result;
}

bool excluded_from_proxy(std::string_view no_proxy, std::string_view host, std::uint16_t port) {
  const std::string name = canonical(host);
  while (!no_proxy.empty()) {
    const std::size_t end = std::min(no_proxy.find_first_of(", \t"), no_proxy.size());
    const std::string_view entry = no_proxy.substr(0, end);
    if (!entry.empty() && entry_matches(entry, name, port)) return true;
    no_proxy.remove_prefix(std::min(end + 1, no_proxy.size()));
  }
  return false;
}

Result<std::optional<Proxy>> proxy_for(std::string_view scheme, std::string_view host, std::uint16_t port,
                                       const Environment& environment) {
  const bool secure = scheme == "https" || scheme == "wss";
  const auto variable = first_of(environment, secure ? https_variables : http_variables);
  if (variable == environment.end() || is_local(canonical(host))) return std::nullopt;
  const auto exclusions = first_of(environment, exclusion_variables);
  if (exclusions != environment.end() && excluded_from_proxy(exclusions->second, host, port)) return std::nullopt;
  Result<Proxy> proxy = Proxy::parse(variable->second);
  if (proxy) return std::move(*proxy);
  proxy.error().text = fmt::format("environment variable {}: {}", variable->first, proxy.error().text);
  return forward(proxy);
}

}  // namespace sluice::net
