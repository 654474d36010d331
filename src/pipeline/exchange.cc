#include "pipeline/exchange.h"

#include <utility>

namespace sluice {

std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::ok:
      return "ok";
    case Outcome::client_error:
      return "client_error";
    case Outcome::upstream_error:
      return "upstream_error";
    case Outcome::gateway_error:
      return "gateway_error";
    case Outcome::broken:
      return "broken";
    case Outcome::client_gone:
      return "client_gone";
    case Outcome::ended:
      return "ended";
  }
  return "unknown";
}

void Exchange::cancel(ErrorKind why, std::string text) {
  if (cancelled_) return;
  cancelled_ = Error{why, ErrorSource::gateway, Retryable::no, std::move(text)};
  // Interrupting may end this exchange, and with it this object.
  const std::function<void()> interrupt = std::exchange(interrupt_, {});
  if (interrupt) interrupt();
}

void Exchange::set_interrupt(std::function<void()> interrupt) {
  if (!cancelled_) {
    interrupt_ = std::move(interrupt);
  } else if (interrupt) {
    interrupt();
  }
}

}  // namespace sluice
