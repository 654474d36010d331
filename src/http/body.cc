#include "http/body.h"

#include <fmt/format.h>

#include "base/block_pool.h"

namespace sluice::http {

Error body_too_large(std::uint64_t limit) {
  return {ErrorKind::too_large, ErrorSource::client, Retryable::no,
          fmt::format("the body is larger than the limit of {} bytes", limit)};
}

Task<Result<std::string_view>> StringBody::read() {
  if (given_) co_return std::string_view();
  given_ = true;
  co_return std::string_view(text_);
}

Task<Result<std::string>> read_all(Body* body, std::uint64_t limit) {
  std::string text;
  if (!body) co_return text;
  const std::optional<std::uint64_t> length = body->length();
  if (length && *length > limit) co_return tl::unexpected(body_too_large(limit));
  if (length) text.reserve(*length + block_tail);
  while (true) {
    Result<std::string_view> piece = co_await body->read();
    if (!piece) co_return forward(piece);
    if (piece->empty()) break;
    if (text.size() + piece->size() > limit) co_return tl::unexpected(body_too_large(limit));
    text.append(*piece);
  }
  text.reserve(text.size() + block_tail);
  co_return text;
}

}  // namespace sluice::http
