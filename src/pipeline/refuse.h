#pragma once

#include "base/error.h"
#include "pipeline/exchange.h"
#include "pipeline/stage.h"

namespace sluice {

/// The reply that tells the caller, in its protocol, why there is no other, and notes the failure in the exchange's
/// record.
Reply refuse(Exchange& exchange, const Error& error);

/// Only notes it: for a reply that has begun already. The first failure of an exchange stays.
void note_failure(Exchange& exchange, const Error& error, Outcome outcome);

/// Whose outcome a failure is.
Outcome outcome_of(const Error& error);

}  // namespace sluice
