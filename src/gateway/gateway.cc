#include "gateway/gateway.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <thread>

#include "net/address.h"
#include "net/listener.h"

namespace sluice {
namespace {

constexpr Duration poll_interval = std::chrono::milliseconds(20);
/// After the drain time is over, what an exchange gets to say its last words.
constexpr Duration last_words = std::chrono::seconds(2);

std::size_t worker_count(const Config& config) {
  return config.workers > 0 ? config.workers : std::max(1U, std::thread::hardware_concurrency());
}

using Bound = std::vector<std::vector<BoundListener>>;

void close_all(const Bound& bound) {
  for (const auto& of_worker : bound) {
    for (const BoundListener& listener : of_worker) ::close(listener.descriptor);
  }
}

std::vector<std::string> addresses_of(const Config& config) {
  std::vector<std::string> addresses;
  for (const ListenerConfig& listener : config.listeners) addresses.push_back(listener.address);
  return addresses;
}

/// Collects one value from each worker; completes on the control thread.
template <class T>
struct Gathered {
  std::vector<T> values;
  std::size_t missing = 0;
};

/// The first configuration's logs are open already; a later one's follow it.
Result<void> redirect_logs(const Snapshot* before, const Snapshot& next, telemetry::AccessLog& access_log) {
  const TelemetryConfig& wanted = next.config.telemetry;
  if (!before) return {};
  spdlog::set_level(spdlog::level::from_str(wanted.log_level));
  if (before->config.telemetry.access_log.target() == wanted.access_log.target()) return {};
  return access_log.redirect(wanted.access_log.target());
}

}  // namespace

Gateway::Gateway(ConfigSource source, GatewayShared& shared)
    : source_(std::move(source)), shared_(shared), control_(net::Worker::current()) {}

Gateway::~Gateway() = default;

/// Sockets for the addresses that are not listened on yet, one for each worker. All or none.
Result<Bound> Gateway::bind_new(Config& config) {
  Bound bound(workers_.empty() ? worker_count(config) : workers_.size());
  for (ListenerConfig& listener : config.listeners) {
    if (std::find(addresses_.begin(), addresses_.end(), listener.address) != addresses_.end()) continue;
    if (Result<void> unused = net::Listener::check_free(listener.address); !unused) {
      close_all(bound);
      return forward(unused);
    }
    for (auto& of_worker : bound) {
      const Result<int> descriptor = net::Listener::bind(listener.address);
      if (!descriptor) {
        close_all(bound);
        return tl::unexpected(descriptor.error());
      }
      // The first socket of port 0 decides the port for the others.
      listener.address = net::Listener::local_address(*descriptor);
      of_worker.push_back({listener.address, *descriptor});
    }
  }
  return bound;
}

/// A listener that is open already keeps its address as it was bound: for a port that the system chose ("127.0.0.1:0"),
/// and for another spelling ("localhost:8080").
void Gateway::keep_bound(Config& config) const {
  std::vector<bool> taken(addresses_.size());
  for (ListenerConfig& listener : config.listeners) {
    for (std::size_t i = 0; i < addresses_.size(); ++i) {
      if (taken[i] || (listener.address != spelled_[i] && listener.address != addresses_[i])) continue;
      listener.address = addresses_[i];
      taken[i] = true;
      break;
    }
  }
}

Result<void> Gateway::start(Config config) { return put_in_force(std::move(config)); }

/// All of it, or nothing.
Result<void> Gateway::put_in_force(Config config) {
  std::vector<std::string> spelled = addresses_of(config);
  keep_bound(config);
  Result<Bound> bound = bind_new(config);
  if (!bound) return forward(bound);
  Result<std::shared_ptr<const Snapshot>> snapshot = Snapshot::build(std::move(config), revision_ + 1);
  if (!snapshot) {
    close_all(*bound);
    return forward(snapshot);
  }
  if (Result<void> redirected = redirect_logs(snapshot_.get(), **snapshot, shared_.access_log); !redirected) {
    close_all(*bound);
    return forward(redirected);
  }
  snapshot_ = std::move(*snapshot);
  ++revision_;
  spelled_ = std::move(spelled);
  addresses_ = addresses_of(snapshot_->config);
  start_workers(bound->size());
  for (std::size_t index = 0; index < workers_.size(); ++index) {
    workers_[index]->apply(snapshot_, std::move((*bound)[index]));
  }
  return {};
}

void Gateway::start_workers(std::size_t count) {
  while (workers_.size() < count) {
    workers_.push_back(std::make_unique<WorkerThread>(workers_.size(), shared_, snapshot_));
    workers_.back()->start();
  }
}

ReloadResult Gateway::reload(std::string_view cause) {
  ReloadResult result;
  LoadedConfig loaded = source_.load();
  for (const Problem& problem : loaded.problems) result.problems.push_back(problem.to_string());
  if (draining_) {
    result.problems.emplace_back("the gateway is shutting down; nothing is changed any more");
  } else if (loaded.config) {
    const Result<void> done = put_in_force(std::move(*loaded.config));
    if (!done) result.problems.push_back(done.error().text);
    result.ok = done.has_value();
  }
  result.revision = revision_;
  shared_.metrics.reloaded(result.ok);
  if (result.ok) {
    spdlog::info("configuration reloaded ({}), revision {}", cause, revision_);
  } else {
    spdlog::error("reload ({}) refused, revision {} stays in force:", cause, revision_);
    for (const std::string& problem : result.problems) spdlog::error("  {}", problem);
  }
  return result;
}

void Gateway::drain(std::function<void()> done) {
  if (std::exchange(draining_, true)) return;
  shared_.metrics.draining(true);
  workers_left_ = workers_.size();
  for (auto& worker : workers_) {
    auto told = std::make_shared<bool>(false);
    worker->drain([this, told] {
      if (std::exchange(*told, true)) return;
      control_.post([this] { --workers_left_; });
    });
  }
  spawn(finish_drain(std::move(done)));
}

Task<void> Gateway::finish_drain(std::function<void()> done) {
  const TimePoint end = Clock::now() + snapshot_->config.drain;
  while (workers_left_ > 0 && Clock::now() < end) co_await net::sleep_for(poll_interval);
  if (workers_left_ > 0) {
    spdlog::warn("drain time is over: ending what is left");
    for (auto& worker : workers_) {
      worker->end_exchanges(ErrorKind::draining, "The gateway is shutting down; send the request again.");
    }
    const TimePoint last = Clock::now() + last_words;
    while (workers_left_ > 0 && Clock::now() < last) co_await net::sleep_for(poll_interval);
  }
  done();
}

/// Workers do things in the order they were told.
Task<void> Gateway::obeyed() { co_await live(); }

Task<std::vector<LiveView>> Gateway::live() {
  auto gathered = std::make_shared<Gathered<LiveView>>();
  gathered->missing = workers_.size();
  for (auto& worker : workers_) {
    worker->with_live([gathered, control = &control_](LiveExchanges& live) {
      control->post([gathered, views = live.views()] {
        gathered->values.insert(gathered->values.end(), views.begin(), views.end());
        --gathered->missing;
      });
    });
  }
  while (gathered->missing > 0) co_await net::sleep_for(std::chrono::milliseconds(1));
  co_return std::move(gathered->values);
}

Task<bool> Gateway::end_exchange(std::string id) {
  auto gathered = std::make_shared<Gathered<bool>>();
  gathered->missing = workers_.size();
  for (auto& worker : workers_) {
    worker->with_live([gathered, id, control = &control_](LiveExchanges& live) {
      const bool found = live.cancel(id, ErrorKind::cancelled, "The operator ended this request.");
      control->post([gathered, found] {
        gathered->values.push_back(found);
        --gathered->missing;
      });
    });
  }
  while (gathered->missing > 0) co_await net::sleep_for(std::chrono::milliseconds(1));
  co_return std::find(gathered->values.begin(), gathered->values.end(), true) != gathered->values.end();
}

}  // namespace sluice
