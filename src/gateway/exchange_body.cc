#include "gateway/exchange_body.h"

namespace sluice {

ExchangeBody::ExchangeBody(std::unique_ptr<LiveExchanges::Entry> entry, std::unique_ptr<http::Body> inner)
    : entry_(std::move(entry)), inner_(std::move(inner)) {}

Task<Result<std::string_view>> ExchangeBody::read() {
  Result<std::string_view> piece = co_await inner_->read();
  ExchangeRecord& record = entry_->exchange.record;
  if (!piece) {
    if (record.outcome == Outcome::ok && !entry_->exchange.cancelled()) record.outcome = Outcome::broken;
    record.error_code = code_of(piece.error().kind);
    record.error_text = piece.error().text;
    entry_->finish();
  } else if (piece->empty()) {
    entry_->finish();
  } else {
    if (record.first_token == TimePoint{}) record.first_token = Clock::now();
    record.bytes_out += piece->size();
  }
  co_return piece;
}

}  // namespace sluice
