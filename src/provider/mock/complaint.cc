#include "provider/mock/complaint.h"

#include <fmt/format.h>

#include "provider/mock/json_text.h"

namespace sluice::mock {
namespace {

std::string quoted_or_null(std::string_view text) { return text.empty() ? "null" : json_string(text); }

}  // namespace

tl::unexpected<Complaint> missing(std::string_view param) {
  return complain(fmt::format("Missing required parameter: '{}'.", param), param, "missing_required_parameter");
}

Complaint complaint_of_status(int status) {
  switch (status) {
    case 400:
      return {400, "The request is wrong (mock fault)."};
    case 401:
      return {401, "Incorrect API key provided (mock fault).", "invalid_request_error", {}, "invalid_api_key"};
    case 404:
      return {404, "The model does not exist (mock fault).", "invalid_request_error", "model", "model_not_found"};
    case 429:
      return {429, "Rate limit reached (mock fault).", "requests", {}, "rate_limit_exceeded"};
    case 503:
      return {503, "The engine is currently overloaded (mock fault).", "server_error", {}, "overloaded"};
    default:
      return {status, "The server had an error while processing your request (mock fault).", "server_error"};
  }
}

std::string error_object(const Complaint& complaint) {
  return fmt::format(R"({{"error":{{"message":{},"type":"{}","param":{},"code":{}}}}})", json_string(complaint.message),
                     complaint.type, quoted_or_null(complaint.param), quoted_or_null(complaint.code));
}

http::Response refusal(const Complaint& complaint) {
  http::Response response = http::make_response(complaint.status, "application/json", error_object(complaint));
  if (complaint.status == 429 || complaint.status == 503) response.fields.add("retry-after", "1");
  return response;
}

}  // namespace sluice::mock
