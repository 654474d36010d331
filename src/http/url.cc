#include "http/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "http/chars.h"
#include "net/address.h"

namespace sluice::http {
namespace {

constexpr std::uint16_t http_port = 80;
constexpr std::uint16_t https_port = 443;

tl::unexpected<Error> refuse(std::string_view why) {
  return fail(ErrorKind::config, ErrorSource::gateway, std::string(why));
}

bool is_unreserved(char c) {
  const char l = text::lower(c);
  return is_digit(c) || (l >= 'a' && l <= 'z') || c == '-' || c == '.' || c == '_' || c == '~';
}

bool is_hex(char c) { return is_digit(c) || (text::lower(c) >= 'a' && text::lower(c) <= 'f'); }

bool is_host(std::string_view host) {
  if (!host.starts_with('[')) return !host.empty() && std::all_of(host.begin(), host.end(), is_unreserved);
  const bool closed = host.size() > 3 && host.ends_with(']');
  return closed &&
         std::all_of(host.begin() + 1, host.end() - 1, [](char c) { return is_hex(c) || c == ':' || c == '.'; });
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

/// The scheme in lower case, taken off `text` with its "://".
std::optional<std::string> take_scheme(std::string_view& text) {
  const std::size_t mark = text.find("://");
  if (mark == std::string_view::npos) return std::nullopt;
  std::string scheme = text::to_lower(text.substr(0, mark));
  text.remove_prefix(mark + 3);
  return scheme;
}

int hex_digit(char c) { return is_digit(c) ? c - '0' : text::lower(c) - 'a' + 10; }

}  // namespace

bool is_authority(std::string_view text) {
  const std::size_t from = text.starts_with('[') ? std::min(text.find(']'), text.size()) : 0;
  const std::size_t colon = text.find(':', from);
  if (!is_host(text.substr(0, colon))) return false;
  return colon == std::string_view::npos || parse_port(text.substr(colon + 1)).has_value();
}

std::string Url::authority() const {
  const std::uint16_t usual = tls() ? https_port : http_port;
  if (port != usual) return net::join_host_port(host, port);
  return host.find(':') == std::string::npos ? host : fmt::format("[{}]", host);
}

std::string Url::origin() const { return fmt::format("{}://{}", scheme, net::join_host_port(host, port)); }

std::string Url::to_string() const { return fmt::format("{}://{}{}", scheme, authority(), path); }

Result<Url> parse_url(std::string_view text) {
  const std::optional<std::string> scheme = take_scheme(text);
  if (!scheme || (*scheme != "http" && *scheme != "https")) return refuse("a URL must start with http:// or https://");
  const std::size_t path_at = std::min(text.find_first_of("/?#"), text.size());
  const std::string_view authority = text.substr(0, path_at);
  std::string_view path = text.substr(path_at);
  if (authority.find('@') != std::string_view::npos) return refuse("a URL must not hold a user or password");
  if (!is_authority(authority)) return refuse("the URL names no valid host and port");
  if (path.find_first_of("?#") != std::string_view::npos) return refuse("a base URL has no query and no fragment");
  if (!path.empty() && !is_target(path)) return refuse("the URL's path holds a character that must be percent-encoded");
  while (path.ends_with('/')) path.remove_suffix(1);

  const std::optional<net::HostPort> host = net::split_host_port(authority);
  if (!host || host->host.empty()) return refuse("the URL names no valid host and port");
  if (host->port == 0) return refuse("the URL's port is 0");
  Url url{*scheme, text::to_lower(host->host), 0, std::string(path)};
  url.port = host->port.value_or(url.tls() ? https_port : http_port);
  return url;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return std::nullopt;
    out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
    i += 2;
  }
  return out;
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (percent_decode(pair.substr(0, equals)) != name) continue;
    std::string value(pair.substr(std::min(equals + 1, pair.size())));
    std::replace(value.begin(), value.end(), '+', ' ');
    return percent_decode(value);
  }
  return std::nullopt;
}

}  // namespace sluice::http
