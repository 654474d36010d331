#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace sluice::http {

/// An absolute http or https URL without query: where a server's API lives.
struct Url {
  std::string scheme;      ///< "http" or "https"
  std::string host;        ///< a name in lower case or an IP literal, without brackets
  std::uint16_t port = 0;  ///< never 0: the scheme's default if none was given
  std::string path;        ///< "" or "/v1": never ends with a slash

  bool tls() const { return scheme == "https"; }
  /// For the Host field: brackets around IPv6, the port unless it is the scheme's own.
  std::string authority() const;
  /// "https://api.example.com:443", for people and as part of identities.
  std::string origin() const;
  std::string to_string() const;
};

/// Errors: kind config, with what is wrong but without the URL itself, which may hold a password. User information, a
/// query and a fragment are refused.
Result<Url> parse_url(std::string_view text);

/// Everything but unreserved characters (RFC 3986 2.3) as %XX: fit for one path segment or one query value.
std::string percent_encode(std::string_view text);
/// Nothing if a "%" is not followed by two hexadecimal digits. "+" stays.
std::optional<std::string> percent_decode(std::string_view text);

/// The first value of `name` in a query ("limit=2&after=x"), decoded, with "+" as a space; nothing if it is not there
/// or not decodable.
std::optional<std::string> query_value(std::string_view query, std::string_view name);

/// "name", "name:80", "[::1]:80" as a Host field may have it (RFC 9110 7.2); never empty.
bool is_authority(std::string_view text);

}  // namespace sluice::http
