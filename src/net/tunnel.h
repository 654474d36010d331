#pragma once

#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/task.h"
#include "net/proxy_env.h"
#include "net/socket.h"

namespace sluice::net {

/// Asks the HTTP proxy at the other end of `socket` for a tunnel to `authority` ("host:port"), after which the socket
/// is as good as connected there. Sends the proxy's credentials (Basic) and shows them to nobody else. Errors, of
/// source upstream and retryable: connect with the proxy's status line, reset, timeout.
Task<Result<void>> open_tunnel(Socket& socket, const Proxy& proxy, std::string authority, TimePoint deadline);

}  // namespace sluice::net
