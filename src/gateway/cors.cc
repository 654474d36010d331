#include "gateway/cors.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice {
namespace {

bool any_origin(const CorsConfig& cors) { return cors.origins.size() == 1 && cors.origins.front() == "*"; }

bool allows(const CorsConfig& cors, std::string_view origin) {
  if (origin.empty()) return false;
  return any_origin(cors) || std::find(cors.origins.begin(), cors.origins.end(), origin) != cors.origins.end();
}

void add_origin(const CorsConfig& cors, std::string_view origin, http::Fields& reply) {
  // With credentials the wildcard is not valid: the origin itself must be named.
  reply.set("access-control-allow-origin", any_origin(cors) && !cors.credentials ? "*" : origin);
  if (cors.credentials) reply.set("access-control-allow-credentials", "true");
  reply.add("vary", "origin");
}

std::string allowed_headers(const CorsConfig& cors, const http::RequestHead& request) {
  const bool whatever = cors.headers.size() == 1 && cors.headers.front() == "*";
  if (whatever) return std::string(request.fields.get("access-control-request-headers"));
  return fmt::format("{}", fmt::join(cors.headers, ", "));
}

}  // namespace

std::optional<http::Response> answer_preflight(const CorsConfig& cors, const http::RequestHead& request) {
  const std::string_view origin = request.fields.get("origin");
  const bool preflight = request.method == "OPTIONS" && request.fields.has("access-control-request-method");
  if (!preflight || !allows(cors, origin)) return std::nullopt;
  http::Response response;
  response.status = 204;
  add_origin(cors, origin, response.fields);
  response.fields.add("access-control-allow-methods", fmt::format("{}", fmt::join(cors.methods, ", ")));
  const std::string headers = allowed_headers(cors, request);
  if (!headers.empty()) response.fields.add("access-control-allow-headers", headers);
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(cors.max_age).count();
  response.fields.add("access-control-max-age", std::to_string(age));
  return response;
}

void add_cors(const CorsConfig& cors, std::string_view origin, http::Fields& reply) {
  if (!allows(cors, origin)) return;
  add_origin(cors, origin, reply);
  if (!cors.expose_headers.empty()) {
    reply.set("access-control-expose-headers", fmt::format("{}", fmt::join(cors.expose_headers, ", ")));
  }
}

}  // namespace sluice
