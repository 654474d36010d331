#include "http/client_pool.h"

#include <fmt/format.h>

#include <algorithm>

#include "net/address.h"
#include "net/worker.h"

namespace sluice::http {

ClientConnection::ClientConnection(std::shared_ptr<ClientPool> pool, std::unique_ptr<net::Stream> stream)
    : pool_(std::move(pool)), stream_(std::move(stream)) {
  ++pool_->open_;
  if (pool_->observer_) pool_->observer_->connection_opened(pool_->identity_);
}

ClientConnection::~ClientConnection() {
  --pool_->open_;
  if (pool_->observer_) pool_->observer_->connection_closed(pool_->identity_);
}

std::unique_ptr<net::Stream> ClientConnection::release(std::unique_ptr<ClientConnection> connection) {
  return std::move(connection->stream_);
}

void ClientConnection::keep(std::unique_ptr<ClientConnection> connection) {
  const std::shared_ptr<ClientPool> pool = connection->pool_;
  pool->keep(std::move(connection));
}

/// A connection being opened counts as one.
class ClientPool::Opening {
 public:
  explicit Opening(ClientPool& pool) : pool_(pool) { ++pool_.open_; }
  ~Opening() { --pool_.open_; }
  Opening(const Opening&) = delete;
  Opening& operator=(const Opening&) = delete;

 private:
  ClientPool& pool_;
};

ClientPool::ClientPool(const Endpoint& endpoint, ClientObserver* observer)
    : identity_(endpoint.identity), observer_(observer) {
  adjust(endpoint);
}

ClientPool::~ClientPool() = default;

void ClientPool::adjust(const Endpoint& endpoint) {
  idle_timeout_ = endpoint.idle_timeout;
  max_idle_ = endpoint.max_idle;
  max_connections_ = endpoint.max_connections;
}

void ClientPool::count_kept(int change) {
  if (observer_) observer_->idle_changed(identity_, change);
}

std::unique_ptr<ClientConnection> ClientPool::take_kept(bool sure) {
  while (!kept_.empty()) {
    std::unique_ptr<ClientConnection> connection = std::move(kept_.back());
    kept_.pop_back();
    count_kept(-1);
    connection->stream_->unwatch();
    if (!connection->stream_->is_open() || (sure && connection->stream_->hung_up())) continue;
    if (observer_) observer_->connection_reused(identity_);
    connection->reused_ = true;
    return connection;
  }
  return nullptr;
}

Task<Result<std::unique_ptr<ClientConnection>>> ClientPool::open(const Endpoint& endpoint, TimePoint deadline) {
  if (max_connections_ > 0 && open_ >= max_connections_) {
    co_return fail(ErrorKind::overloaded, ErrorSource::gateway,
                   fmt::format("all {} connections to {} are in use", max_connections_,
                               net::join_host_port(endpoint.target.host, endpoint.target.port)));
  }
  const std::shared_ptr<ClientPool> self = shared_from_this();
  std::unique_ptr<net::Stream> stream;
  {
    const Opening opening(*this);
    Result<std::unique_ptr<net::Stream>> connected = co_await net::connect(endpoint.target, deadline);
    if (!connected) {
      if (observer_) observer_->connection_failed(identity_, connected.error());
      co_return forward(connected);
    }
    stream = std::move(*connected);
  }
  co_return std::make_unique<ClientConnection>(self, std::move(stream));
}

void ClientPool::keep(std::unique_ptr<ClientConnection> connection) {
  if (retired_ || kept_.size() >= max_idle_ || idle_timeout_ <= Duration::zero()) return;
  const ClientConnection* const key = connection.get();
  connection->idle_since_ = Clock::now();
  // Whatever comes while nothing is asked, be it the end, makes the connection useless.
  connection->stream_->watch([this, key] { drop(key); });
  kept_.push_back(std::move(connection));
  count_kept(1);
  if (!linked()) net::Worker::current().wheel().schedule(*this, kept_.front()->idle_since_ + idle_timeout_);
}

void ClientPool::drop(const ClientConnection* connection) {
  const auto found =
      std::find_if(kept_.begin(), kept_.end(), [connection](const auto& kept) { return kept.get() == connection; });
  if (found == kept_.end()) return;
  const std::shared_ptr<ClientPool> self = shared_from_this();
  const std::unique_ptr<ClientConnection> dropped = std::move(*found);
  kept_.erase(found);
  count_kept(-1);
}

void ClientPool::expired() {
  const std::shared_ptr<ClientPool> self = shared_from_this();
  const TimePoint now = Clock::now();
  while (!kept_.empty() && kept_.front()->idle_since_ + idle_timeout_ <= now) drop(kept_.front().get());
  if (!kept_.empty()) net::Worker::current().wheel().schedule(*this, kept_.front()->idle_since_ + idle_timeout_);
}

void ClientPool::retire() {
  const std::shared_ptr<ClientPool> self = shared_from_this();
  retired_ = true;
  while (!kept_.empty()) drop(kept_.back().get());
}

void ClientPool::repeated() {
  if (observer_) observer_->request_repeated(identity_);
}

}  // namespace sluice::http
