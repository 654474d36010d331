#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/config_source.h"
#include "gateway/live.h"
#include "gateway/snapshot.h"
#include "gateway/worker_thread.h"
#include "net/worker.h"

namespace sluice {

/// What a reload came to.
struct ReloadResult {
  bool ok = false;
  std::uint64_t revision = 0;         ///< the configuration now in force
  std::vector<std::string> problems;  ///< each with file, line, column and remedy
};

/// The whole gateway: workers, listeners, the configuration in force and its reloads. Lives on the control thread,
/// whose loop also serves the admin listener; every method is called there.
class Gateway {
 public:
  Gateway(ConfigSource source, GatewayShared& shared);
  ~Gateway();

  /// Binds, starts the workers. Fails with what keeps it from serving; nothing runs then.
  Result<void> start(Config config);

  /// Loads the configuration again and puts it in force, or changes nothing. `cause` is for the log ("signal", "file",
  /// "admin").
  ReloadResult reload(std::string_view cause);

  const Snapshot& snapshot() const { return *snapshot_; }
  bool draining() const { return draining_; }
  /// Addresses in force, port 0 replaced by what the system chose.
  const std::vector<std::string>& addresses() const { return addresses_; }

  /// Stops accepting, lets exchanges finish for the configured time, then ends them in their protocol; `done` is called
  /// on the control thread when nothing is left.
  void drain(std::function<void()> done);

  /// Completes when every worker obeys the configuration in force: new requests do, from now on.
  Task<void> obeyed();

  /// The live exchanges of all workers.
  Task<std::vector<LiveView>> live();
  /// False if there is no such exchange.
  Task<bool> end_exchange(std::string id);

 private:
  Result<void> put_in_force(Config config);
  void keep_bound(Config& config) const;
  Result<std::vector<std::vector<BoundListener>>> bind_new(Config& config);
  void start_workers(std::size_t count);
  Task<void> finish_drain(std::function<void()> done);

  ConfigSource source_;
  GatewayShared& shared_;
  net::Worker& control_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::vector<std::unique_ptr<WorkerThread>> workers_;
  std::vector<std::string> addresses_;
  std::vector<std::string> spelled_;  ///< the same as the configuration spells them
  std::uint64_t revision_ = 0;
  std::size_t workers_left_ = 0;
  bool draining_ = false;
};

}  // namespace sluice
