#include "gateway/worker_thread.h"

#include <pthread.h>

#include <set>

#include "pipeline/settle.h"
#include "telemetry/upstream_metrics.h"

namespace sluice {
namespace {

/// Feeds connection counts into the metrics.
class ConnectionMetrics final : public http::ServerObserver {
 public:
  explicit ConnectionMetrics(telemetry::Metrics& metrics) : metrics_(metrics) {}
  void connection_opened(std::string_view listener) override { metrics_.connection_opened(listener); }
  void connection_closed(std::string_view listener) override { metrics_.connection_closed(listener); }
  void connection_refused(std::string_view reason) override { metrics_.connection_refused(reason); }
  void message_rejected(std::string_view reason) override { metrics_.rejected_request(reason); }

 private:
  telemetry::Metrics& metrics_;
};

void count(const ExchangeRecord& record, GatewayShared& shared) {
  shared.metrics.exchange_ended();
  for (std::uint64_t i = 0; i < record.keep_alive_comments; ++i) shared.metrics.keep_alive_comment();
  settle(record, shared.metrics, &shared.access_log);
}

constexpr Duration lag_interval = std::chrono::milliseconds(500);

/// How late the loop wakes is how long something held it.
Task<void> measure_lag(telemetry::Metrics& metrics, std::size_t worker) {
  while (true) {
    const TimePoint due = Clock::now() + lag_interval;
    co_await net::sleep_for(lag_interval);
    metrics.loop_lag(worker, seconds(std::max(Clock::now() - due, Duration::zero())));
  }
}

}  // namespace

struct WorkerThread::State {
  State(std::size_t index, GatewayShared& shared, std::shared_ptr<const Snapshot> first)
      : snapshot(std::move(first)),
        observer(shared.metrics),
        upstream_metrics(shared.metrics),
        upstreams(&upstream_metrics),
        live(index, [&shared](const ExchangeRecord& record) { count(record, shared); }),
        handler(shared, live, upstreams),
        server(handler, observer, shared.connections, snapshot->server),
        lag(measure_lag(shared.metrics, index)) {
    handler.set_snapshot(snapshot);
    name_upstreams();
    lag.start();
  }

  void listen(const BoundListener& bound) {
    const std::string address = bound.address;
    auto accept = [this, address](int descriptor) {
      const auto tls = snapshot->tls.find(address);
      server.accept(descriptor, tls == snapshot->tls.end() ? nullptr : tls->second, address);
    };
    auto refuse = [this](std::string_view reason) { server.refused(reason); };
    listeners[address] = std::make_unique<net::Listener>(bound.descriptor, accept, refuse);
  }

  void apply(std::shared_ptr<const Snapshot> next, std::vector<BoundListener> added) {
    std::set<std::string> wanted;
    for (const ListenerConfig& listener : next->config.listeners) wanted.insert(listener.address);
    // They still take what the kernel has queued, with the certificates that they had.
    std::erase_if(listeners, [&wanted](const auto& listener) { return !wanted.contains(listener.first); });
    snapshot = std::move(next);
    handler.set_snapshot(snapshot);
    server.set_settings(snapshot->server);
    for (const BoundListener& bound : added) listen(bound);
    upstreams.retain(snapshot->providers->identities());
    name_upstreams();
  }

  void name_upstreams() {
    for (const auto& [name, provider] : snapshot->providers->all()) {
      const std::string_view identity = provider->upstream().identity();
      if (!identity.empty()) upstream_metrics.name(identity, name);
    }
  }

  std::shared_ptr<const Snapshot> snapshot;
  ConnectionMetrics observer;
  telemetry::UpstreamMetrics upstream_metrics;
  http::Client upstreams;
  LiveExchanges live;
  GatewayHandler handler;
  http::Server server;
  std::map<std::string, std::unique_ptr<net::Listener>> listeners;
  Task<void> lag;
};

WorkerThread::WorkerThread(std::size_t index, GatewayShared& shared, std::shared_ptr<const Snapshot> snapshot)
    : worker_(index), shared_(shared), first_(std::move(snapshot)) {}

WorkerThread::~WorkerThread() {
  if (!thread_.joinable()) return;
  worker_.post([this] {
    state_->listeners.clear();
    // Only when the last connection has gone may what they refer to go too.
    state_->server.on_empty([this] {
      worker_.post([this] {
        state_.reset();
        worker_.stop();
      });
    });
    state_->server.drain();
    state_->server.close_all();
  });
  thread_.join();
}

void WorkerThread::start() {
  // Before the thread runs, so that nothing that is posted later can come first.
  worker_.post([this] { state_ = std::make_unique<State>(worker_.index(), shared_, std::move(first_)); });
  thread_ = std::thread(&WorkerThread::run, this);
}

void WorkerThread::run() {
  ::pthread_setname_np(::pthread_self(), ("worker-" + std::to_string(worker_.index())).c_str());
  worker_.run();
}

void WorkerThread::apply(std::shared_ptr<const Snapshot> snapshot, std::vector<BoundListener> added) {
  worker_.post([this, next = std::move(snapshot), added = std::move(added)]() mutable {
    state_->apply(std::move(next), std::move(added));
  });
}

void WorkerThread::drain(std::function<void()> on_empty) {
  worker_.post([this, on_empty = std::move(on_empty)]() mutable {
    state_->listeners.clear();
    state_->server.on_empty(std::move(on_empty));
    state_->server.drain();
  });
}

void WorkerThread::end_exchanges(ErrorKind why, std::string text) {
  worker_.post([this, why, text = std::move(text)] { state_->live.cancel_all(why, text); });
}

void WorkerThread::with_live(std::function<void(LiveExchanges&)> ask) {
  worker_.post([this, ask = std::move(ask)] { ask(state_->live); });
}

}  // namespace sluice
