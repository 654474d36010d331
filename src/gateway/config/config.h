#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "http/limits.h"
#include "net/tls.h"
#include "provider/config.h"

namespace sluice {

struct ListenerConfig {
  std::string address;                         ///< "host:port", "[v6]:port"; port 0 lets the system choose
  std::vector<net::Certificate> certificates;  ///< empty: plain
};

/// Cross-origin answers for browsers. Off while no origin is allowed.
struct CorsConfig {
  std::vector<std::string> origins;  ///< exact origins, or the single "*"
  std::vector<std::string> methods{"GET", "POST", "DELETE", "OPTIONS"};
  std::vector<std::string> headers{"*"};  ///< "*": whatever the browser asks for
  std::vector<std::string> expose_headers{"x-request-id"};
  bool credentials = false;
  Duration max_age = std::chrono::minutes(10);
};

/// Everything given must match; globs know `*` only (any run of characters, also slashes). An empty match is every
/// request.
struct RouteMatch {
  std::string host;                                         ///< glob, without case, without port; empty: any
  std::string path;                                         ///< glob on the path without query; empty: any
  std::vector<std::pair<std::string, std::string>> header;  ///< name and glob of its value
  std::string model;                                        ///< glob on the model that the client asks for; empty: any
};

/// The first route that matches handles a request. What a route leaves open has the default of the whole configuration.
struct RouteConfig {
  std::string name;  ///< label in metrics and logs; "route-N" (counted from 1) if the file gives none
  RouteMatch match;
  std::string provider;  ///< a configured provider that gets the route's requests; empty: the model decides
  std::optional<std::uint64_t> max_body;       ///< overrides limits.max_body
  std::optional<Duration> keep_alive_comment;  ///< overrides the default
};

struct AccessLogConfig {
  std::string path = "stdout";  ///< "stdout", "stderr" or a file
  std::string format = "json";  ///< "json" or "off"

  /// Where lines go: "stdout", "stderr", a file, or "off".
  const std::string& target() const { return format == "off" ? format : path; }
};

struct TelemetryConfig {
  AccessLogConfig access_log;
  std::string log_level = "info";  ///< "debug", "info", "warn" or "error"
};

/// A provider that the file names but whose optional key (`${NAME:-}`) is not in the environment.
struct DisabledProvider {
  std::string name;
  std::string reason;  ///< for people: "OPENAI_API_KEY is not set"
};

/// The whole configuration as a value: complete, validated, and never changed after it was loaded.
struct Config {
  std::vector<ListenerConfig> listeners{{"0.0.0.0:8080", {}}};
  std::string admin = "127.0.0.1:9090";  ///< address; "off": no admin listener
  std::size_t workers = 0;               ///< 0: one per core
  Duration drain = std::chrono::seconds(30);
  Duration keep_alive_comment = std::chrono::seconds(15);  ///< an SSE comment after so long a silence; zero: off
  http::ServerLimits limits;
  CorsConfig cors;
  std::vector<ProviderConfig> providers;
  std::vector<ModelConfig> models;
  std::vector<RouteConfig> routes;
  std::vector<PriceConfig> prices;  ///< asked before the shipped table; the first that matches wins
  TelemetryConfig telemetry;

  // Not keys of the file: what loading found out.
  std::vector<DisabledProvider> disabled;
  std::vector<std::string> notes;  ///< for the log at start and after a reload, without secrets

  /// Null if there is none of that name.
  const ProviderConfig* find_provider(std::string_view name) const;
  const ModelConfig* find_model(std::string_view name) const;
};

}  // namespace sluice
