#pragma once

#include <functional>
#include <initializer_list>
#include <memory>

#include "base/task.h"

namespace sluice::net {

class Socket;

/// Process signals as events of one worker's loop. `block` must run in the main thread before any other thread starts,
/// so that the signals are pending for the loop and interrupt nobody. SIGPIPE is ignored for good.
class Signals {
 public:
  static void block(std::initializer_list<int> signals);

  /// REQUIRES: current worker; the signals are blocked.
  Signals(std::initializer_list<int> signals, std::function<void(int signal)> on_signal);
  ~Signals();

 private:
  struct State;
  static Task<void> loop(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace sluice::net
