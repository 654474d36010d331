#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"

namespace sluice::net {

/// An HTTP proxy that connections are tunnelled through (CONNECT).
struct Proxy {
  std::string host;
  std::uint16_t port = 0;
  Secret credentials;  ///< "user:password", decoded; empty: none

  /// From "http://user:password@proxy.example:3128", the scheme and the port (then 1080, as curl has it) may be
  /// missing. ErrorKind::config with a text without the URL, which may hold a password; also for schemes that are not
  /// http.
  static Result<Proxy> parse(std::string_view url);

  bool operator==(const Proxy&) const = default;
};

/// Environment variables by name.
using Environment = std::map<std::string, std::string, std::less<>>;

/// Those variables of the process that `proxy_for` looks at. REQUIRES: nobody changes the environment meanwhile.
Environment proxy_environment();

/// The proxy for connections to `scheme`://`host`:`port`, or none. After curl: `https_proxy`, `http_proxy`, else
/// `all_proxy`, lower case before upper case, empty means unset; `HTTP_PROXY` is not trusted in a CGI program.
/// `no_proxy` is a list (commas or spaces) of names (with or without a leading dot or "*.": the name and everything
/// below it), "name:port", addresses and CIDR blocks; "*" is everything. Beyond curl, after Go: localhost and
/// loopback addresses are never proxied. Fails like Proxy::parse, naming the variable.
Result<std::optional<Proxy>> proxy_for(std::string_view scheme, std::string_view host, std::uint16_t port,
                                       const Environment& environment);

/// Whether the list `no_proxy` excludes this host and port.
bool excluded_from_proxy(std::string_view no_proxy, std::string_view host, std::uint16_t port);

}  // namespace sluice::net
