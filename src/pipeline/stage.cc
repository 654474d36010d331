#include "pipeline/stage.h"

#include "pipeline/exchange.h"

namespace sluice {
namespace {

Task<Reply> nobody_answers() {
  co_return http::make_response(
      500, "application/json",
      R"({"error":{"message":"No part of this gateway answers such a request.","type":"server_error","param":null,"code":"internal_error"}})");
}

}  // namespace

Task<Reply> Next::operator()(Exchange& exchange) const {
  if (rest_.empty()) return nobody_answers();
  return rest_.front()->handle(exchange, Next(rest_.subspan(1)));
}

}  // namespace sluice
