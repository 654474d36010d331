#include "provider/upstream.h"

#include <fmt/format.h>

#include "http/client.h"
#include "http/url.h"
#include "net/proxy_env.h"
#include "net/tls.h"
#include "provider/mock/mock_server.h"

namespace sluice {
namespace {

/// A provider over HTTP.
class HttpUpstream final : public Upstream {
 public:
  HttpUpstream(http::Endpoint endpoint, std::string prefix, http::ClientTimeouts timeouts)
      : endpoint_(std::move(endpoint)), prefix_(std::move(prefix)), timeouts_(timeouts) {}

  Task<Result<http::Response>> send(UpstreamCall& call, http::Client& client) override {
    call.target.insert(0, prefix_);
    http::ClientRequest request;
    request.method = call.method;
    request.target = call.target;
    request.fields = &call.fields;
    request.body = call.body;
    request.stream = call.streamed_body;
    request.has_body = call.has_body;
    if (call.upgrade) request.upgrade = "websocket";
    co_return co_await client.send(endpoint_, request, timeouts_);
  }

  std::string_view identity() const override { return endpoint_.identity; }

 private:
  http::Endpoint endpoint_;
  std::string prefix_;
  http::ClientTimeouts timeouts_;
};

/// The built-in model server, asked without a network.
class MockUpstream final : public Upstream {
 public:
  explicit MockUpstream(const MockOptions& options) : server_(options) {}

  Task<Result<http::Response>> send(UpstreamCall& call, http::Client&) override {
    http::Request request;
    request.head.method = call.method;
    request.head.target = "/v1" + call.target;
    request.head.fields = call.fields.clone();
    if (call.streamed_body) {
      request.body = std::make_unique<BorrowedBody>(*call.streamed_body);
    } else if (call.has_body) {
      request.body = std::make_unique<http::StringBody>(call.body);
    }
    co_return co_await server_.handle(std::move(request));
  }

 private:
  /// A body that belongs to the exchange.
  class BorrowedBody final : public http::Body {
   public:
    explicit BorrowedBody(http::Body& body) : body_(body) {}
    Task<Result<std::string_view>> read() override { return body_.read(); }
    std::optional<std::uint64_t> length() const override { return body_.length(); }

   private:
    http::Body& body_;
  };

  mock::MockServer server_;
};

http::ClientTimeouts client_timeouts(const ProviderTimeouts& timeouts) {
  http::ClientTimeouts result;
  result.connect = timeouts.connect;
  result.first_byte = timeouts.first_token;
  result.between_bytes = timeouts.between_tokens;
  result.total = timeouts.total;
  return result;
}

Result<std::optional<net::Proxy>> proxy_of(const ProviderConfig& config, const http::Url& url) {
  const std::string& given = config.proxy.reveal();
  if (given == "none") return std::optional<net::Proxy>();
  if (given.empty()) return net::proxy_for(url.scheme, url.host, url.port, net::proxy_environment());
  Result<net::Proxy> proxy = net::Proxy::parse(given);
  if (!proxy) return forward(proxy);
  return std::optional<net::Proxy>(std::move(*proxy));
}

Result<std::unique_ptr<Upstream>> make_upstream(const ProviderConfig& config) {
  if (config.is_mock()) return std::make_unique<MockUpstream>(config.mock);
  Result<http::Url> url = http::parse_url(config.base_url);
  if (!url) return forward(url);
  std::shared_ptr<net::TlsContext> tls;
  if (url->tls()) {
    Result<std::shared_ptr<net::TlsContext>> context = net::TlsContext::client(config.tls);
    if (!context) return forward(context);
    tls = std::move(*context);
  }
  Result<std::optional<net::Proxy>> proxy = proxy_of(config, *url);
  if (!proxy) return forward(proxy);
  http::Endpoint endpoint = http::make_endpoint(*url, std::move(tls), config.tls, std::move(*proxy));
  endpoint.idle_timeout = config.timeouts.idle;
  endpoint.max_idle = config.max_idle_connections;
  endpoint.max_connections = config.max_connections;
  return std::make_unique<HttpUpstream>(std::move(endpoint), url->path, client_timeouts(config.timeouts));
}

}  // namespace

std::string_view Provider::next_key() const {
  if (config_.api_keys.empty()) return {};
  return config_.api_keys[turn_.fetch_add(1, std::memory_order_relaxed) % config_.api_keys.size()].reveal();
}

Result<std::unique_ptr<Providers>> Providers::build(const std::vector<ProviderConfig>& configs) {
  auto providers = std::make_unique<Providers>();
  for (const ProviderConfig& config : configs) {
    Result<std::unique_ptr<Upstream>> upstream = make_upstream(config);
    if (!upstream) {
      upstream.error().text = fmt::format("providers.{}: {}", config.name, upstream.error().text);
      return forward(upstream);
    }
    providers->providers_.emplace(config.name, std::make_unique<Provider>(config, std::move(*upstream)));
  }
  return providers;
}

const Provider* Providers::find(std::string_view name) const {
  const auto found = providers_.find(name);
  return found == providers_.end() ? nullptr : found->second.get();
}

std::vector<std::string> Providers::identities() const {
  std::vector<std::string> identities;
  for (const auto& [name, provider] : providers_) {
    const std::string_view identity = provider->upstream().identity();
    if (!identity.empty()) identities.emplace_back(identity);
  }
  return identities;
}

}  // namespace sluice
