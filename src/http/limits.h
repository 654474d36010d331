#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace sluice::http {

/// What one client, or all of them together, may ask of the server. Zero means "no bound" for counts and "no deadline"
/// for times.
struct ServerLimits {
  std::size_t max_header_bytes = 64 * 1024;  ///< request line and header fields together
  std::size_t max_header_count = 128;        ///< header fields of one message
  std::uint64_t max_body =
      32ULL * 1024 * 1024;               ///< bytes of a JSON body that is read whole; other bodies stream at any size
  std::size_t max_connections = 16'384;  ///< client connections of the whole process
  std::size_t max_connections_per_client =
      0;  ///< of one client address; none by default: a load balancer is one address
  std::size_t max_requests_per_connection = 0;         ///< then the connection is closed after its answer
  Duration header_timeout = std::chrono::seconds(10);  ///< from the first byte of a request to the end of its header
  Duration body_timeout = std::chrono::seconds(30);    ///< grace before `min_body_rate` is asked for
  std::uint64_t min_body_rate = 512;  ///< bytes a second, averaged since the body began, once the grace is over
  Duration idle_timeout = std::chrono::seconds(75);         ///< between two requests on one connection
  Duration write_stall_timeout = std::chrono::seconds(30);  ///< a client that takes not one byte for so long is gone
  Duration tunnel_idle_timeout = std::chrono::minutes(10);  ///< a WebSocket without a byte in either direction
  std::size_t write_window =
      64 * 1024;  ///< bytes of an answer held for a slow client before the upstream is no longer read
};

}  // namespace sluice::http
