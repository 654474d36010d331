#include "pipeline/refuse.h"

#include "llm/dialect/openai/errors.h"

namespace sluice {

Outcome outcome_of(const Error& error) {
  if (error.kind == ErrorKind::draining || error.kind == ErrorKind::cancelled) return Outcome::ended;
  switch (error.source) {
    case ErrorSource::client:
      return Outcome::client_error;
    case ErrorSource::upstream:
      return Outcome::upstream_error;
    case ErrorSource::gateway:
      break;
  }
  return Outcome::gateway_error;
}

void note_failure(Exchange& exchange, const Error& error, Outcome outcome) {
  ExchangeRecord& record = exchange.record;
  if (record.outcome != Outcome::ok) return;
  record.outcome = outcome;
  record.error_code = code_of(error.kind);
  record.error_text = error.text;
}

Reply refuse(Exchange& exchange, const Error& error) {
  note_failure(exchange, error, outcome_of(error));
  Reply reply = http::make_response(llm::openai::status_of(error), "application/json", llm::openai::error_body(error));
  if (error.kind == ErrorKind::method) reply.fields.add("allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  if (error.kind == ErrorKind::overloaded || error.kind == ErrorKind::draining) reply.fields.add("retry-after", "1");
  return reply;
}

}  // namespace sluice
