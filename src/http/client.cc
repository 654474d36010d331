#include "http/client.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>

#include "http/client_call.h"
#include "http/client_pool.h"
#include "net/tls.h"

namespace sluice::http {
namespace {

/// Everything that makes two connections to one origin different, as a hash: parts of it are secret.
std::uint64_t connection_hash(const Url& url, const net::ClientTlsOptions& options,
                              const std::optional<net::Proxy>& proxy) {
  std::string text;
  const auto add = [&text](std::string_view part) {
    text.append(std::to_string(part.size())).append(":").append(part);
  };
  if (url.tls()) {
    add(options.verify ? "verify" : "");
    add(options.ca_file);
    add(options.client_certificate.chain_file);
    add(options.client_certificate.key_file);
    for (const std::string& protocol : options.alpn) add(protocol);
  }
  if (proxy) {
    add(proxy->host);
    add(std::to_string(proxy->port));
    add(proxy->credentials.reveal());
  }
  return text.empty() ? 0 : XXH3_64bits(text.data(), text.size());
}

}  // namespace

Endpoint make_endpoint(const Url& url, std::shared_ptr<net::TlsContext> tls, const net::ClientTlsOptions& options,
                       std::optional<net::Proxy> proxy) {
  Endpoint endpoint;
  endpoint.identity = url.origin();
  const std::uint64_t hash = connection_hash(url, options, proxy);
  if (hash != 0) endpoint.identity += fmt::format("#{:016x}", hash);
  endpoint.host = url.authority();
  endpoint.target = {url.host, url.port, std::move(tls), "", std::move(proxy)};
  return endpoint;
}

Client::Client(ClientObserver* observer) : observer_(observer) {}

Client::~Client() { retain({}); }

void Client::retain(const std::vector<std::string>& identities) {
  std::erase_if(pools_, [&identities](const auto& entry) {
    if (std::find(identities.begin(), identities.end(), entry.first) != identities.end()) return false;
    entry.second->retire();
    return true;
  });
}

std::shared_ptr<ClientPool> Client::pool_of(const Endpoint& endpoint) {
  std::shared_ptr<ClientPool>& pool = pools_[endpoint.identity];
  if (pool) {
    pool->adjust(endpoint);
  } else {
    pool = std::make_shared<ClientPool>(endpoint, observer_);
  }
  return pool;
}

Task<Result<Response>> Client::send(const Endpoint& endpoint, const ClientRequest& request,
                                    const ClientTimeouts& timeouts) {
  const std::shared_ptr<ClientPool> pool = pool_of(endpoint);
  const TimePoint total = deadline_after(timeouts.total);
  std::unique_ptr<ClientConnection> connection = pool->take_kept(request.stream != nullptr);
  while (true) {
    if (!connection) {
      const TimePoint deadline = std::min(total, deadline_after(timeouts.connect));
      Result<std::unique_ptr<ClientConnection>> opened = co_await pool->open(endpoint, deadline);
      if (!opened) co_return forward(opened);
      connection = std::move(*opened);
    }
    auto call = std::make_unique<ClientCall>(std::move(connection), request, timeouts, total);
    Result<void> begun = co_await call->begin(endpoint.host);
    if (begun) co_return ClientCall::response(std::move(call));
    if (!call->repeatable(begun.error())) co_return forward(begun);
    pool->repeated();  // on a new connection: it cannot be stale
  }
}

std::size_t Client::idle(std::string_view identity) const {
  const auto pool = pools_.find(identity);
  return pool == pools_.end() ? 0 : pool->second->kept();
}

std::size_t Client::open(std::string_view identity) const {
  const auto pool = pools_.find(identity);
  return pool == pools_.end() ? 0 : pool->second->open_connections();
}

}  // namespace sluice::http
