#pragma once

#include <cstdint>

#include "base/error.h"
#include "base/task.h"
#include "http/message.h"
#include "pipeline/exchange.h"

namespace sluice {

/// Whether the request's body is JSON, which is read whole, routed by what it says and edited; anything else streams
/// through.
bool has_json_body(const Exchange& exchange);

/// Reads the body into `exchange.body_text`, once. Fails with too_large (client) over `limit` bytes, or as the client's
/// connection does, or with the exchange's own end if it is ended meanwhile.
Task<Result<void>> load_body(Exchange& exchange, std::uint64_t limit);

}  // namespace sluice
