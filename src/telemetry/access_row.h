#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace sluice::telemetry {

/// One line of the access log. Views live during the call. Holds nothing that could be a secret: no header, no query,
/// no body.
struct AccessRow {
  std::chrono::system_clock::time_point time;  ///< when the request began
  std::string_view id;
  std::string_view client;
  std::string_view method;
  std::string_view path;  ///< without query
  std::string_view route;
  std::string_view provider;
  std::string_view model;
  std::string_view upstream_model;
  int status = 0;  ///< 0: none was sent
  std::string_view outcome;
  std::string_view code;  ///< of the failure
  bool stream = false;
  Duration duration{};
  std::optional<Duration> first_token;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;

  struct Tokens {
    std::uint64_t prompt = 0;
    std::uint64_t completion = 0;
    std::uint64_t cached = 0;
    std::uint64_t reasoning = 0;
    bool estimated = false;
  };
  std::optional<Tokens> tokens;  ///< nothing: not known
  std::optional<double> cost;    ///< US dollars; nothing: not known
};

/// Appends the row as one JSON object and a line feed. Every key is always there, in one order (docs/metrics.md): what
/// is empty or unknown is null, times are milliseconds. Invalid UTF-8 becomes U+FFFD.
void append_json_line(const AccessRow& row, std::string& to);

}  // namespace sluice::telemetry
