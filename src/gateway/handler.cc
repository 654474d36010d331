#include "gateway/handler.h"

#include <spdlog/spdlog.h>

#include "base/id.h"
#include "gateway/cors.h"
#include "gateway/exchange_body.h"
#include "llm/dialect/openai/errors.h"

namespace sluice {

GatewayHandler::GatewayHandler(GatewayShared& shared, LiveExchanges& live, http::Client& upstreams)
    : shared_(shared), live_(live), upstreams_(upstreams) {}

void GatewayHandler::begin(Exchange& exchange, http::Request& request) const {
  exchange.snapshot = snapshot_;
  exchange.upstreams = &upstreams_;
  ExchangeRecord& record = exchange.record;
  record.id = id::request_id(request.head.fields.get("x-request-id"));
  record.method = request.head.method;
  record.path = request.head.path();
  record.client = request.peer->address;
  exchange.traceparent = id::child_traceparent(request.head.fields.get("traceparent"));
  exchange.request = std::move(request);
}

Task<http::Response> GatewayHandler::handle(http::Request& request) {
  const std::shared_ptr<const Snapshot> snapshot = snapshot_;
  std::optional<http::Response> preflight = answer_preflight(snapshot->config.cors, request.head);
  if (preflight) co_return std::move(*preflight);

  shared_.metrics.exchange_began();
  auto entry = std::make_unique<LiveExchanges::Entry>(live_);
  Exchange& exchange = entry->exchange;
  begin(exchange, request);
  const std::string origin(exchange.request.head.fields.get("origin"));

  const Next pipeline(snapshot->stages);
  Reply reply = co_await pipeline(exchange);

  exchange.record.status = reply.status;
  exchange.record.headers = Clock::now();
  reply.fields.set("x-request-id", exchange.record.id);
  add_cors(snapshot->config.cors, origin, reply.fields);
  if (reply.upgrade) {
    const std::shared_ptr<LiveExchanges::Entry> held = std::move(entry);
    reply.upgrade->on_end = [held](std::uint64_t to_client, std::uint64_t to_upstream) {
      held->exchange.record.bytes_out = to_client;
      held->exchange.record.bytes_in = to_upstream;
      held->finish();
    };
  } else if (reply.body) {
    // Nobody reads the body of an answer to HEAD: it ends with its head.
    if (exchange.record.method == "HEAD") entry->finish();
    reply.body = std::make_unique<ExchangeBody>(std::move(entry), std::move(reply.body));
  } else {
    entry->finish();
  }
  co_return reply;
}

http::Response GatewayHandler::fail(int status, const Error& error) {
  return http::make_response(status, "application/json", llm::openai::error_body(error));
}

}  // namespace sluice
