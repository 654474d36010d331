#include "http/message.h"

#include <boost/beast/http/status.hpp>

#include "net/stream.h"

namespace sluice::http {

std::string_view RequestHead::query() const {
  const std::size_t mark = target.find('?');
  return mark == std::string::npos ? std::string_view() : std::string_view(target).substr(mark + 1);
}

Upgrade::Upgrade() = default;
Upgrade::~Upgrade() = default;

Response::Response() = default;
Response::Response(Response&&) noexcept = default;
Response& Response::operator=(Response&&) noexcept = default;
Response::~Response() = default;

Response make_response(int status, std::string_view content_type, std::string text) {
  Response response;
  response.status = status;
  response.fields.add("content-type", content_type);
  response.body = std::make_unique<StringBody>(std::move(text));
  return response;
}

std::string_view reason_phrase(int status) {
  const auto known = boost::beast::http::int_to_status(static_cast<unsigned>(status));
  if (known == boost::beast::http::status::unknown) return "Unknown";
  const auto reason = boost::beast::http::obsolete_reason(known);
  return {reason.data(), reason.size()};
}

}  // namespace sluice::http
