#include "pipeline/load_body.h"

#include "base/text.h"
#include "net/running.h"

namespace sluice {

bool has_json_body(const Exchange& exchange) {
  if (exchange.body_text) return true;
  if (!exchange.request.body) return false;
  const std::string_view type = exchange.request.head.fields.get("content-type");
  const std::string media = text::to_lower(text::trim(type.substr(0, type.find(';'))));
  // curl's -d without a header calls everything a form; the API knows no forms but multipart ones.
  return media == "application/json" || media.ends_with("+json") || media == "application/x-www-form-urlencoded";
}

Task<Result<void>> load_body(Exchange& exchange, std::uint64_t limit) {
  if (exchange.body_text) {
    // Read under the bound of another route, before the model in it decided for this one.
    if (exchange.body_text->size() <= limit) co_return Result<void>();
    co_return tl::unexpected(http::body_too_large(limit));
  }
  net::Running<Result<std::string>> reading(http::read_all(exchange.request.body.get(), limit));
  if (!reading.done() && !exchange.cancelled()) {
    // A drain or the operator may end an upload that is slow.
    exchange.set_interrupt([&reading] { reading.interrupt(); });
    co_await reading.finished();
    exchange.set_interrupt(nullptr);
  }
  if (!reading.done()) co_return tl::unexpected(*exchange.cancelled());
  Result<std::string> text = reading.take();
  if (!text) co_return forward(text);
  exchange.record.bytes_in = text->size();
  exchange.body_text = std::move(*text);
  exchange.request.body.reset();
  co_return Result<void>();
}

}  // namespace sluice
