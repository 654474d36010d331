#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace sluice::http {

/// What one client, or all of them together, may ask of the server. A count of zero means "no bound".
struct ServerLimits {
  /// Request line and header fields together.
  std::size_t max_header_bytes = 64 * 1024;
  /// Header fields of one message.
  std::size_t max_header_count = 128;
  /// Bytes of a JSON body that is read whole; other bodies stream at any size.
  std::uint64_t max_body = 32ULL * 1024 * 1024;
  /// Client connections of the whole process.
  std::size_t max_connections = 16'384;
  /// Of one client address; none by default: behind a load balancer all clients share an address.
  std::size_t max_connections_per_client = 0;
  /// Then the connection is closed after its answer.
  std::size_t max_requests_per_connection = 0;
  /// From the first byte of a request to the end of its header.
  Duration header_timeout = std::chrono::seconds(10);
  /// Grace before `min_body_rate` is asked for.
  Duration body_timeout = std::chrono::seconds(30);
  /// Bytes a second, averaged since the body began, once the grace is over.
  std::uint64_t min_body_rate = 512;
  /// Between two requests on one connection.
  Duration idle_timeout = std::chrono::seconds(75);
  /// A client that takes not one byte for so long is gone.
  Duration write_stall_timeout = std::chrono::seconds(30);
  /// Bytes of an answer held for a slow client before the upstream is no longer read.
  Duration tunnel_idle_timeout = std::chrono::minutes(10);  ///< a WebSocket without a byte in either direction
  std::size_t write_window = 64 * 1024;
};

}  // namespace sluice::http
