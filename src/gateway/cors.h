#pragma once

#include <optional>

#include "gateway/config/config.h"
#include "http/message.h"

namespace sluice {

/// The answer to a preflight (OPTIONS with Origin and Access-Control-Request-Method); nothing if the request is none or
/// the origin is not allowed. After the Fetch standard's CORS protocol.
std::optional<http::Response> answer_preflight(const CorsConfig& cors, const http::RequestHead& request);

/// Adds what a browser needs to hand the answer to a page of an allowed origin.
void add_cors(const CorsConfig& cors, std::string_view origin, http::Fields& reply);

}  // namespace sluice
