#pragma once

#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/task.h"
#include "net/address.h"
#include "net/socket.h"

namespace sluice::net {

/// Opens a TCP connection to whichever address answers first, after RFC 8305: IPv4 and IPv6 by turns, beginning with
/// the family of the first address, the next one 250 ms after the one before or as soon as one has failed.
/// TCP_NODELAY and keep-alive probes are on. Errors, of source upstream and retryable: connect with each address's
/// reason, timeout. At most 8 addresses are tried. REQUIRES: a current worker, at least one address.
Task<Result<std::unique_ptr<Socket>>> dial(std::vector<Address> addresses, TimePoint deadline);

/// The order in which `dial` tries them.
std::vector<Address> interleaved(const std::vector<Address>& addresses);

}  // namespace sluice::net
