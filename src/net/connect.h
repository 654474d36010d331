#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/task.h"
#include "net/proxy_env.h"
#include "net/stream.h"
#include "net/tls.h"

namespace sluice::net {

/// Whom to connect to, and how.
struct ConnectTarget {
  std::string host;  ///< a name or an IP literal (brackets allowed)
  std::uint16_t port = 0;
  std::shared_ptr<TlsContext> tls;  ///< null: plain
  std::string server_name;          ///< for SNI and verification; empty: `host`
  std::optional<Proxy> proxy;       ///< tunnelled through with CONNECT, plain connections too
};

/// Opens a connection, ready for the first byte: looks the name up, tries its addresses after RFC 8305 (families
/// interleaved, the next one after 250 ms or at once after a failure), asks the proxy for a tunnel, shakes hands. The
/// stream has no deadlines set, TCP_NODELAY on, and ErrorSource::upstream.
///
/// Errors: ErrorKind resolve, connect, tls or timeout, source upstream, retryable yes (no byte of a request has been
/// sent), text naming host:port and never the proxy's credentials. Dropping the task gives everything up.
/// REQUIRES: a current worker; `target` outlives the task.
Task<Result<std::unique_ptr<Stream>>> connect(const ConnectTarget& target, TimePoint deadline);

}  // namespace sluice::net
