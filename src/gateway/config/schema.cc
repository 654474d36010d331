#include "gateway/config/schema.h"

#include <fmt/format.h>

#include "base/schema_types.h"
#include "net/address.h"
#include "provider/schema.h"

namespace sluice {

namespace {

using namespace schema;

constexpr std::uint64_t max_count = 100'000'000;
constexpr std::uint64_t kibibyte = 1024;
constexpr std::uint64_t mebibyte = 1024 * kibibyte;

std::string address_complaint(const std::string& address) {
  const Result<net::Address> parsed = net::Address::parse(address);
  return parsed ? "" : fmt::format("{}; give host:port, such as 0.0.0.0:8080", parsed.error().text);
}

const Object<net::Certificate>& certificate_schema() {
  static const auto object =
      Object<net::Certificate>(
          "A certificate; among several, the client's server name (SNI) chooses, and the first is the default.")
          .field("cert", &net::Certificate::chain_file, file(), "PEM file, our certificate first, then its chain.",
                 Presence::required)
          .field("key", &net::Certificate::key_file, file(), "PEM file with its private key.", Presence::required);
  return object;
}

const Object<ListenerConfig>& listener_schema() {
  static const auto object =
      Object<ListenerConfig>("Where clients connect. A plain `host:port` is short for an address without TLS.")
          .field("address", &ListenerConfig::address, text().must(address_complaint),
                 "`host:port` with a literal host: `0.0.0.0:8080`, `[::]:8080`.", Presence::required)
          .field("tls", &ListenerConfig::certificates, one_or_more(certificate_schema().type()),
                 "Certificates; with them the listener speaks TLS.");
  return object;
}

Type<ListenerConfig> listener() {
  Type<ListenerConfig> type =
      either(shorthand(&ListenerConfig::address, text().must(address_complaint)), listener_schema().type());
  type.show = [show = type.show](const ListenerConfig& listener) {
    return listener.certificates.empty() ? json::value(listener.address) : show(listener);
  };
  return type;
}

const Object<http::ServerLimits>& limits_schema() {
  using Limits = http::ServerLimits;
  const auto count = [] { return integer(0, max_count); };
  static const auto object =
      Object<Limits>("What clients may ask of the server. A count of 0 means no bound.")
          .field("max_header_bytes", &Limits::max_header_bytes, size(kibibyte, 16 * mebibyte),
                 "Request line and header fields together; more is answered with 431.")
          .field("max_header_count", &Limits::max_header_count, integer(8, 10'000), "Header fields of one message.")
          .field("max_body", &Limits::max_body, size(1),
                 "A JSON body; more is answered with 413. Other bodies (files, audio) stream through at any size.")
          .field("max_connections", &Limits::max_connections, count(), "Client connections of the whole process.")
          .field("max_connections_per_client", &Limits::max_connections_per_client, count(),
                 "Connections of one client address. Leave it at 0 behind a load balancer, which is one address.")
          .field("max_requests_per_connection", &Limits::max_requests_per_connection, count(),
                 "After so many answers a connection is closed.")
          .field("header_timeout", &Limits::header_timeout, duration(),
                 "From the first byte of a request to the end of its header.")
          .field("body_timeout", &Limits::body_timeout, duration(),
                 "After so long a body must have come at `min_body_rate`.")
          .field("min_body_rate", &Limits::min_body_rate, size(0, 1024 * mebibyte),
                 "Bytes a second, on average; 0: any rate will do.")
          .field("idle_timeout", &Limits::idle_timeout, duration(), "Between two requests on one connection.")
          .field("tunnel_idle_timeout", &Limits::tunnel_idle_timeout, duration(),
                 "A WebSocket on which no byte came from either side for so long is closed.")
          .field("write_stall_timeout", &Limits::write_stall_timeout, duration(),
                 "A client that takes not one byte for so long is gone.")
          .field("write_window", &Limits::write_window, size(4 * kibibyte, 64 * mebibyte),
                 "How much of an answer waits for a slow client before the provider is no longer read.");
  return object;
}

std::string origin_complaint(const std::string& origin) {
  if (origin == "*") return "";
  const std::size_t scheme = origin.find("://");
  const bool good = scheme != std::string::npos && scheme > 0 && scheme + 3 < origin.size() &&
                    origin.find('/', scheme + 3) == std::string::npos;
  return good ? "" : "is not an origin; give scheme and host without a path, such as https://app.example.com, or \"*\"";
}

const Object<CorsConfig>& cors_schema() {
  static const auto object =
      Object<CorsConfig>("What scripts of other sites may do in a browser. Off while no origin is given.")
          .field("origins", &CorsConfig::origins, list_of(text().must(origin_complaint)),
                 "Origins that may call: `https://app.example.com`, or `*`.")
          .field("methods", &CorsConfig::methods, list_of(text()), "Methods they may use.")
          .field("headers", &CorsConfig::headers, list_of(text()),
                 "Request headers they may send; `*`: those the browser asks for.")
          .field("expose_headers", &CorsConfig::expose_headers, list_of(text()), "Response headers they may read.")
          .field("credentials", &CorsConfig::credentials, boolean(),
                 "Whether cookies and credentials may be sent. Not with origin `*`.")
          .field("max_age", &CorsConfig::max_age, duration(Zero::off), "How long a browser may remember this.")
          .finish([](CorsConfig& cors, Reader& reader) {
            const bool any = std::ranges::find(cors.origins, "*") != cors.origins.end();
            if (any && cors.credentials) reader.problem("credentials cannot go with origin \"*\"; name the origins");
            if (any && cors.origins.size() > 1) reader.problem("origin \"*\" stands alone; remove the others");
          });
  return object;
}

std::string path_glob_complaint(const std::string& glob) {
  return glob.starts_with('/') || glob.starts_with('*') ? "" : "must begin with / or *, such as /v1/*";
}

const Object<RouteMatch>& match_schema() {
  using Header = std::pair<std::string, std::string>;
  static const auto object =
      Object<RouteMatch>("All that is given must hold. `*` stands for any run of characters, slashes included.")
          .field("host", &RouteMatch::host, text(), "The Host header without port.")
          .field("path", &RouteMatch::path, text().must(path_glob_complaint), "The path without query.")
          .field("header", &RouteMatch::header, map_of("header", &Header::first, shorthand(&Header::second, text())),
                 "Request headers and their values.")
          .field("model", &RouteMatch::model, text(), "The model asked for.");
  return object;
}

const Object<RouteConfig>& route_schema() {
  static const auto object =
      Object<RouteConfig>("The first route that matches handles a request; without any, the defaults do.")
          .field("name", &RouteConfig::name, text().must([](const std::string& name) { return label_complaint(name); }),
                 "Its label in metrics and logs. Default: `route-1`, `route-2`, … by its place.")
          .field("match", &RouteConfig::match, match_schema().type(), "Which requests it is for; empty: all.")
          .field("provider", &RouteConfig::provider, text(), "Sends its requests to this provider, whatever the model.")
          .field("max_body", &RouteConfig::max_body, maybe(size(1)), "Overrides `limits.max_body`.")
          .field("keep_alive_comment", &RouteConfig::keep_alive_comment, maybe(duration(Zero::off)),
                 "Overrides `keep_alive_comment`.")
          .later({"access", "limit", "guard", "cache", "plugins", "flow", "flows"});
  return object;
}

const Object<AccessLogConfig>& access_log_schema() {
  static const auto object =
      Object<AccessLogConfig>("One line for each exchange, when it is over.")
          .field("path", &AccessLogConfig::path, text(), "`stdout`, `stderr` or a file.")
          .field("format", &AccessLogConfig::format, one_of({"json", "off"}), "How it is written.");
  return object;
}

const Object<TelemetryConfig>& telemetry_schema() {
  static const auto object =
      Object<TelemetryConfig>("What is written about the work. Metrics are at `/metrics` of the admin listener.")
          .field("access_log", &TelemetryConfig::access_log, access_log_schema().type(), "The access log.")
          .field("log_level", &TelemetryConfig::log_level, one_of({"debug", "info", "warn", "error"}),
                 "How much the program says about itself, on stderr.")
          .later({"traces", "metrics"});
  return object;
}

std::string admin_complaint(const std::string& address) { return address == "off" ? "" : address_complaint(address); }

std::string provider_name_complaint(std::string_view name) { return label_complaint(name); }

}  // namespace

const Object<Config>& config_schema() {
  static const auto object =
      Object<Config>("Every key may be left out, except that something must answer: at least one provider.")
          .field("listen", &Config::listeners, one_or_more(listener()),
                 "Where clients connect: an address, or a list of addresses and maps.")
          .field("admin", &Config::admin, text().must(admin_complaint),
                 "Address for health, metrics and administration, which must not be public; `off`: none.")
          .field("workers", &Config::workers, integer(0, 1024), "Threads that carry the traffic; 0: one per core.")
          .field("drain", &Config::drain, duration(Zero::off),
                 "How long streams may go on after a request to stop; `off`: they are ended at once.")
          .field("keep_alive_comment", &Config::keep_alive_comment, duration(Zero::off),
                 "After so long a silence in an event stream a comment is sent, so that nothing on the way takes it "
                 "for dead.")
          .field("limits", &Config::limits, limits_schema().type(), "What clients may ask of the server.")
          .field("cors", &Config::cors, cors_schema().type(), "What scripts of other sites may do.")
          .field("providers", &Config::providers,
                 map_of("name", &ProviderConfig::name, provider_schema().type(), provider_name_complaint),
                 "Who answers.")
          .field("models", &Config::models, map_of("name", &ModelConfig::name, model_type()),
                 "Names that clients may use, beside `provider/model`, which always works.")
          .field("routes", &Config::routes, list_of(route_schema().type()), "Exceptions for some requests.")
          .field("prices", &Config::prices, map_of("model", &PriceConfig::model, price_schema().type()),
                 "Prices beside those that are shipped; these win.")
          .field("telemetry", &Config::telemetry, telemetry_schema().type(), "Logs.")
          .later({"access", "limit", "guard", "cache", "plugins", "flows"});
  return object;
}

}  // namespace sluice
