#pragma once

#include <string>

#include "gateway/gateway.h"
#include "http/server.h"

namespace sluice {

/// The operator's side, served on the control thread: health, metrics, reload, configuration and live exchanges. JSON
/// answers; errors as {"error":{"message","type","code"}}. It has no authentication of its own: it listens on loopback
/// by default.
class AdminHandler final : public http::Handler {
 public:
  AdminHandler(Gateway& gateway, telemetry::Metrics& metrics) : gateway_(gateway), metrics_(metrics) {}

  Task<http::Response> handle(http::Request& request) override;
  http::Response fail(int status, const Error& error) override;

 private:
  http::Response ready() const;
  Task<http::Response> reload();
  Task<http::Response> list_streams();
  Task<http::Response> end_stream(std::string id);

  Gateway& gateway_;
  telemetry::Metrics& metrics_;
};

}  // namespace sluice
