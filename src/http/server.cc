#include "http/server.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "http/server_connection.h"
#include "net/socket.h"
#include "net/tls.h"

namespace sluice::http {
namespace {

/// For a client that cannot be served at all; sent without waiting.
const std::string& overloaded_answer() {
  static constexpr std::string_view body =
      R"({"error":{"message":"The gateway has reached its limit of connections; retry later.","type":"server_error","param":null,"code":"overloaded"}})";
  static const std::string answer = fmt::format(
      "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: {}\r\nretry-after: 1\r\n"
      "connection: close\r\n\r\n{}",
      body.size(), body);
  return answer;
}

Task<void> run_connection(std::shared_ptr<Server::Shared> shared, std::unique_ptr<net::Stream> stream, Peer peer) {
  ServerConnection connection(std::move(shared), std::move(stream), std::move(peer));
  co_await connection.run();
}

}  // namespace

struct ConnectionGauge::Impl {
  std::atomic<std::size_t> count{0};
  std::mutex mutex;
  std::unordered_map<std::string, std::size_t> of_client;
};

ConnectionGauge::ConnectionGauge() : impl_(std::make_unique<Impl>()) {}
ConnectionGauge::~ConnectionGauge() = default;

std::size_t ConnectionGauge::count() const { return impl_->count.load(std::memory_order_relaxed); }

ConnectionGauge::Verdict ConnectionGauge::enter(const std::string& address, const ServerLimits& limits) {
  const std::size_t before = impl_->count.fetch_add(1, std::memory_order_relaxed);
  if (limits.max_connections > 0 && before >= limits.max_connections) {
    impl_->count.fetch_sub(1, std::memory_order_relaxed);
    return Verdict::too_many;
  }
  const std::lock_guard lock(impl_->mutex);
  std::size_t& of_client = impl_->of_client[address];
  if (limits.max_connections_per_client > 0 && of_client >= limits.max_connections_per_client) {
    impl_->count.fetch_sub(1, std::memory_order_relaxed);
    return Verdict::too_many_of_client;
  }
  ++of_client;
  return Verdict::admitted;
}

void ConnectionGauge::leave(const std::string& address) {
  impl_->count.fetch_sub(1, std::memory_order_relaxed);
  const std::lock_guard lock(impl_->mutex);
  const auto found = impl_->of_client.find(address);
  if (found != impl_->of_client.end() && --found->second == 0) impl_->of_client.erase(found);
}

Server::Server(Handler& handler, ServerObserver& observer, ConnectionGauge& gauge,
               std::shared_ptr<const ServerSettings> settings)
    : shared_(std::make_shared<Shared>()) {
  shared_->handler = &handler;
  shared_->observer = &observer;
  shared_->gauge = &gauge;
  shared_->settings = std::move(settings);
}

Server::~Server() { close_all(); }

void Server::set_settings(std::shared_ptr<const ServerSettings> settings) { shared_->settings = std::move(settings); }

void Server::accept(int descriptor, std::shared_ptr<net::TlsContext> tls, const std::string& listener) {
  std::unique_ptr<net::TlsSession> session = tls ? net::TlsSession::accept(std::move(tls), descriptor) : nullptr;
  const bool secure = session != nullptr;
  // What the kernel takes beyond what the network has taken: a bound on what a slow client makes us hold.
  const int window = static_cast<int>(shared_->settings->limits.write_window);
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &window, sizeof window);
  auto stream = std::make_unique<net::Stream>(net::Socket::adopt(descriptor), std::move(session), ErrorSource::client);
  Peer peer{stream->peer_address(), listener, secure};
  if (shared_->settings->enforce_connection_limits) {
    const auto verdict = shared_->gauge->enter(peer.address, shared_->settings->limits);
    if (verdict != ConnectionGauge::Verdict::admitted) {
      const std::string& answer = overloaded_answer();
      if (!secure) ::send(descriptor, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      refused(verdict == ConnectionGauge::Verdict::too_many ? "max_connections" : "max_connections_per_client");
      stream->shutdown_send();
      return;
    }
  }
  spawn(run_connection(shared_, std::move(stream), std::move(peer)));
}

void Server::refused(std::string_view reason) { shared_->observer->connection_refused(reason); }

void Server::drain() {
  shared_->draining = true;
  const std::vector<ServerConnection*> connections(shared_->connections.begin(), shared_->connections.end());
  for (ServerConnection* connection : connections) connection->drain();
  if (shared_->connections.empty() && shared_->on_empty) shared_->on_empty();
}

void Server::close_all() {
  const std::vector<ServerConnection*> connections(shared_->connections.begin(), shared_->connections.end());
  for (ServerConnection* connection : connections) connection->close();
}

std::size_t Server::connections() const { return shared_->connections.size(); }

void Server::on_empty(std::function<void()> callback) { shared_->on_empty = std::move(callback); }

}  // namespace sluice::http
