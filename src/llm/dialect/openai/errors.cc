#include "llm/dialect/openai/errors.h"

#include <boost/json.hpp>
#include <simdjson.h>

namespace sluice::llm::openai {
namespace {

/// OpenAI's own coarse classes.
std::string_view type_of(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 429:
      return "rate_limit_error";
    default:
      return status < 500 ? "invalid_request_error" : "server_error";
  }
}

/// Error texts may quote what a client sent; JSON must be UTF-8.
std::string readable(std::string_view text) {
  std::string result(text);
  if (simdjson::validate_utf8(result.data(), result.size())) return result;
  for (char& c : result) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return result;
}

}  // namespace

int status_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::bad_request:
      return 400;
    case ErrorKind::unauthorized:
      return 401;
    case ErrorKind::not_found:
    case ErrorKind::model_not_found:
      return 404;
    case ErrorKind::method:
      return 405;
    case ErrorKind::too_large:
      return 413;
    case ErrorKind::timeout:
      return error.source == ErrorSource::client ? 408 : 504;
    case ErrorKind::resolve:
    case ErrorKind::connect:
    case ErrorKind::tls:
    case ErrorKind::protocol:
    case ErrorKind::reset:
    case ErrorKind::closed:
    case ErrorKind::truncated:
      return error.source == ErrorSource::client ? 400 : 502;
    case ErrorKind::overloaded:
      return error.source == ErrorSource::client ? 429 : 503;
    case ErrorKind::draining:
    case ErrorKind::cancelled:
      return 503;
    case ErrorKind::config:
    case ErrorKind::internal:
      return 500;
  }
  return 500;
}

std::string error_body(const Error& error) {
  const boost::json::object body{{"message", readable(error.text)},
                                 {"type", type_of(status_of(error))},
                                 {"param", nullptr},
                                 {"code", code_of(error.kind)}};
  return boost::json::serialize(boost::json::object{{"error", body}});
}

}  // namespace sluice::llm::openai
