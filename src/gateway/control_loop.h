#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <functional>
#include <memory>

#include "base/error.h"
#include "net/worker.h"

namespace sluice {

inline constexpr int start_failed = 1;

/// Runs a loop on this thread: `start` makes what lives on it, and something in that stops the loop. Gives the exit
/// status: 0, or 1 with the reason on standard error if `start` failed.
template <class Made>
int run_control_loop(std::function<Result<std::unique_ptr<Made>>()> start) {
  net::Worker control(0);
  std::unique_ptr<Made> made;
  int status = 0;
  control.post([&] {
    Result<std::unique_ptr<Made>> started = start();
    if (started) {
      made = std::move(*started);
      return;
    }
    fmt::print(stderr, "sluice: {}\n", started.error().text);
    status = start_failed;
    control.stop();
  });
  control.run();
  made.reset();
  return status;
}

}  // namespace sluice
