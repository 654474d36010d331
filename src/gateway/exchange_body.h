#pragma once

#include <memory>

#include "gateway/live.h"
#include "http/body.h"

namespace sluice {

/// The outermost layer of every reply: counts what the client takes and holds the exchange until the last byte, so that
/// it is settled exactly when the reply is over or dropped.
class ExchangeBody final : public http::Body {
 public:
  ExchangeBody(std::unique_ptr<LiveExchanges::Entry> entry, std::unique_ptr<http::Body> inner);

  Task<Result<std::string_view>> read() override;
  std::optional<std::uint64_t> length() const override { return inner_->length(); }
  const http::Fields* trailers() const override { return inner_->trailers(); }

 private:
  std::unique_ptr<LiveExchanges::Entry> entry_;  // first: `inner_` refers to the exchange in it
  std::unique_ptr<http::Body> inner_;
};

}  // namespace sluice
