#include "gateway/route_stage.h"

#include "llm/dialect/openai/request_view.h"
#include "pipeline/exchange.h"
#include "pipeline/load_body.h"
#include "pipeline/refuse.h"

namespace sluice {
namespace {

void obey(Exchange& exchange, const Route& route) {
  exchange.record.route = route.name;
  exchange.route = route.settings;
}

RouteQuery query_of(const Exchange& exchange) {
  const http::RequestHead& head = exchange.request.head;
  return {head.fields.get("host"), head.path(), head.fields, std::nullopt};
}

}  // namespace

Task<Reply> RouteStage::handle(Exchange& exchange, Next next) {
  const RouteTable::Preview preview = routes_.preview(query_of(exchange));
  obey(exchange, *preview.route);
  if (preview.needs_model && has_json_body(exchange)) {
    const Result<void> loaded = co_await load_body(exchange, preview.max_body);
    if (!loaded) co_return refuse(exchange, loaded.error());
    const std::string model = llm::openai::model_of(*exchange.body_text);
    RouteQuery complete = query_of(exchange);
    complete.model = model;
    obey(exchange, routes_.find(complete));
  }
  co_return co_await next(exchange);
}

}  // namespace sluice
