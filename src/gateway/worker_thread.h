#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gateway/handler.h"
#include "gateway/live.h"
#include "gateway/snapshot.h"
#include "http/client.h"
#include "http/server.h"
#include "net/listener.h"
#include "net/worker.h"

namespace sluice {

/// A bound listening socket on its way to its worker.
struct BoundListener {
  std::string address;
  int descriptor = -1;
};

/// One worker: its thread and loop, its listeners, its connections on both sides. Methods may be called from the
/// control thread; all they do happens on the worker's own thread, in the order of the calls.
class WorkerThread {
 public:
  WorkerThread(std::size_t index, GatewayShared& shared, std::shared_ptr<const Snapshot> snapshot);
  /// Stops the loop and joins; connections that are left are closed.
  ~WorkerThread();

  void start();
  /// New exchanges begin with `snapshot`; `added` listeners open, those whose addresses it does not name any more
  /// close.
  void apply(std::shared_ptr<const Snapshot> snapshot, std::vector<BoundListener> added);
  /// Stops accepting and closes idle connections; `on_empty` is called on the worker's thread once none is left.
  void drain(std::function<void()> on_empty);
  /// Ends every exchange under way in its caller's protocol.
  void end_exchanges(ErrorKind why, std::string text);

  /// Runs `ask` on the worker's thread with its live exchanges.
  void with_live(std::function<void(LiveExchanges&)> ask);
  net::Worker& loop() { return worker_; }

 private:
  struct State;
  void run();

  net::Worker worker_;
  GatewayShared& shared_;
  std::shared_ptr<const Snapshot> first_;
  std::unique_ptr<State> state_;  ///< made and destroyed on the worker's thread
  std::thread thread_;
};

}  // namespace sluice
