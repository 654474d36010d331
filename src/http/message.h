#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http/body.h"
#include "http/fields.h"

namespace sluice::net {
class Stream;
}

namespace sluice::http {

/// What is known of the connection a request came in on. Lives as long as the connection.
struct Peer {
  std::string address;   ///< the client's address without port, for logs and per-client limits
  std::string listener;  ///< the listener's address as configured
  bool tls = false;
};

struct RequestHead {
  std::string method;  ///< upper case, a token
  std::string target;  ///< origin form: path and query as sent ("/v1/models?limit=2"), or "*" for OPTIONS
  int minor = 1;       ///< HTTP/1.x
  Fields fields;

  std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
  std::string_view query() const;
};

struct ResponseHead {
  int status = 200;
  int minor = 1;
  Fields fields;
};

struct Request {
  RequestHead head;
  std::unique_ptr<Body> body;  ///< null when the message has none
  const Peer* peer = nullptr;
};

/// A connection that has left HTTP (WebSocket): bytes go both ways until one side ends.
struct Upgrade {
  std::unique_ptr<net::Stream> stream;
  std::string early;  ///< bytes the upstream sent together with its 101
  /// Called once when the tunnel has ended, with the bytes that went each way.
  std::function<void(std::uint64_t to_client, std::uint64_t to_upstream)> on_end;
  Upgrade();
  ~Upgrade();
};

struct Response {
  int status = 200;
  Fields fields;  ///< without framing fields (content-length, transfer-encoding, connection): the codec writes these
  std::unique_ptr<Body> body;        ///< null: empty
  std::unique_ptr<Upgrade> upgrade;  ///< only with status 101

  Response();
  Response(Response&&) noexcept;
  Response& operator=(Response&&) noexcept;
  ~Response();
};

/// A whole answer with a content type.
Response make_response(int status, std::string_view content_type, std::string text);

/// The standard reason phrase, or "Unknown".
std::string_view reason_phrase(int status);

}  // namespace sluice::http
