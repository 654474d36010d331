#pragma once

#include <string_view>

#include "base/clock.h"
#include "base/task.h"
#include "http/message.h"

namespace sluice::http {

/// Carries bytes both ways between a client and an upgraded upstream until both sides have ended, one breaks, or no
/// byte came from either for `idle`. A side that stops reading stops the reads from the other: at most one Block is
/// held a direction. `early` are client bytes that were read already.
/// A tunnel that is ended from outside (its upstream's stream is closed) ends with a close frame, 1001, if no frame is
/// under way. Closes both streams and reports to `upgrade.on_end`.
Task<void> run_tunnel(net::Stream& client, Upgrade& upgrade, std::string_view early, Duration idle);

}  // namespace sluice::http
