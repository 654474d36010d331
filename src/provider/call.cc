#include "provider/call.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace sluice {
namespace {

using Names = std::span<const std::string_view>;

constexpr std::array<std::string_view, 10> hop_by_hop{
    "connection",     "keep-alive",         "proxy-connection",   "te", "trailer", "transfer-encoding", "upgrade",
    "content-length", "proxy-authenticate", "proxy-authorization"};
/// Credentials a client may hold for this gateway, in every spelling that it accepts.
constexpr std::array<std::string_view, 5> client_credentials{"authorization", "x-api-key", "api-key", "x-goog-api-key",
                                                             "cookie"};
/// Written anew, or meant for the gateway alone.
constexpr std::array<std::string_view, 6> replaced{
    "host", "expect", "x-request-id", "traceparent", "x-sluice-provider", "forwarded"};

bool among(Names names, std::string_view name) {
  return std::any_of(names.begin(), names.end(),
                     [name](std::string_view other) { return http::same_name(name, other); });
}

bool is_forwarding_field(std::string_view name) {
  constexpr std::string_view prefix = "x-forwarded-";
  return name.size() > prefix.size() && http::same_name(name.substr(0, prefix.size()), prefix);
}

/// What a provider says of its own origin to browsers, which would take it for ours: who may read its answers (that is
/// for this gateway's configuration to say), and how else it can be reached.
bool is_about_its_origin(std::string_view name) {
  constexpr std::string_view prefix = "access-control-";
  return http::same_name(name.substr(0, prefix.size()), prefix) || http::same_name(name, "alt-svc") ||
         http::same_name(name, "strict-transport-security");
}

bool passes(std::string_view name, const http::RequestHead& head, const ProviderConfig& provider, bool whole_text) {
  if (is_hop_by_hop(name) || among(replaced, name) || is_forwarding_field(name)) return false;
  if (!provider.client_key && among(client_credentials, name)) return false;
  if (whole_text && http::same_name(name, "accept-encoding")) return false;
  return !head.fields.lists("connection", name);
}

}  // namespace

bool is_hop_by_hop(std::string_view name) { return among(hop_by_hop, name); }

std::string_view path_under_root(std::string_view path) {
  constexpr std::string_view root = "/v1";
  const bool under = path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
  return under ? path.substr(root.size()) : path;
}

http::Fields upstream_fields(const http::RequestHead& head, const ProviderConfig& provider, std::string_view key,
                             std::string_view request_id, std::string_view traceparent, bool whole_text) {
  http::Fields fields;
  for (const http::Field& field : head.fields) {
    if (passes(field.name, head, provider, whole_text)) fields.add(field.name, field.value);
  }
  if (!key.empty()) {
    std::string bearer = "Bearer ";
    fields.add("authorization", bearer.append(key));
  }
  for (const HeaderToAdd& header : provider.headers) fields.set(header.name, header.value.reveal());
  fields.set("x-request-id", request_id);
  if (!traceparent.empty()) fields.set("traceparent", traceparent);
  return fields;
}

std::string upstream_query(std::string_view query) {
  std::string kept;
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
    if (pair.empty() || pair.starts_with("key=")) continue;
    kept.append(kept.empty() ? "?" : "&").append(pair);
  }
  return kept;
}

http::Fields reply_fields(const http::Fields& upstream) {
  http::Fields fields;
  for (const http::Field& field : upstream) {
    if (is_hop_by_hop(field.name) || is_about_its_origin(field.name) || upstream.lists("connection", field.name))
      continue;
    fields.add(field.name, field.value);
  }
  return fields;
}

}  // namespace sluice
