#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "http/message.h"
#include "provider/config.h"

namespace sluice {

/// What one provider is asked for one exchange, in HTTP terms.
struct UpstreamCall {
  std::string method;
  std::string target;  ///< path under the provider's base URL and query: "/chat/completions"
  http::Fields fields;
  std::string body;                     ///< a body that is there already ...
  http::Body* streamed_body = nullptr;  ///< ... or one that is pulled; it must outlive the call
  bool has_body = false;
  bool upgrade = false;  ///< a WebSocket handshake
};

/// The part of a client's path that follows the API's root: "/v1/chat/completions" -> "/chat/completions". Paths
/// outside /v1 stay.
std::string_view path_under_root(std::string_view path);

/// The fields a provider gets: the client's, without those that belong to one connection, to the client's own
/// credentials or to this gateway; then the provider's credential (`key` empty: none), its configured fields, the
/// exchange's id and trace. `whole_text` asks for an answer that is not compressed, because its text will be looked at.
http::Fields upstream_fields(const http::RequestHead& head, const ProviderConfig& provider, std::string_view key,
                             std::string_view request_id, std::string_view traceparent, bool whole_text);

/// The client's query without credentials in it (`key=`, as Gemini clients send); with its "?" unless empty.
std::string upstream_query(std::string_view query);

/// The fields a client gets: the provider's without those that belong to one connection or speak of its own origin
/// (CORS, HSTS, Alt-Svc).
http::Fields reply_fields(const http::Fields& upstream);

/// Whether `name` belongs to one connection only (RFC 9110 7.6.1) or is written by our own codec.
bool is_hop_by_hop(std::string_view name);

}  // namespace sluice
