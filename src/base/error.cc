#include "base/error.h"

namespace sluice {

std::string_view code_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::bad_request:
      return "bad_request";
    case ErrorKind::unauthorized:
      return "unauthorized";
    case ErrorKind::not_found:
      return "not_found";
    case ErrorKind::model_not_found:
      return "model_not_found";
    case ErrorKind::method:
      return "method_not_allowed";
    case ErrorKind::too_large:
      return "too_large";
    case ErrorKind::timeout:
      return "timeout";
    case ErrorKind::resolve:
      return "resolve_failed";
    case ErrorKind::connect:
      return "connect_failed";
    case ErrorKind::tls:
      return "tls_failed";
    case ErrorKind::protocol:
      return "protocol_error";
    case ErrorKind::reset:
      return "connection_reset";
    case ErrorKind::closed:
      return "connection_closed";
    case ErrorKind::truncated:
      return "truncated";
    case ErrorKind::overloaded:
      return "overloaded";
    case ErrorKind::draining:
      return "draining";
    case ErrorKind::cancelled:
      return "cancelled";
    case ErrorKind::config:
      return "config_error";
    case ErrorKind::internal:
      return "internal_error";
  }
  return "internal_error";
}

std::string_view name_of(ErrorSource source) {
  switch (source) {
    case ErrorSource::client:
      return "client";
    case ErrorSource::gateway:
      return "gateway";
    case ErrorSource::upstream:
      return "upstream";
  }
  return "gateway";
}

}  // namespace sluice
