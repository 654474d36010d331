#pragma once

#include <memory>

#include "base/task.h"
#include "http/message.h"
#include "provider/config.h"

namespace sluice::mock {

/// A deterministic model server: what docs/mock.md describes. It answers the gateway's `type: mock` in the process and
/// `sluice mock` behind an HTTP server with the same code. Thread-safe; delays need a current worker.
class MockServer {
 public:
  /// Throws std::invalid_argument if a fault of the options is unknown.
  explicit MockServer(const MockOptions& options);
  ~MockServer();

  /// Answers one request. Task and answer may outlive the server. Faults of the transport are errors of the answer's
  /// body: `reset` asks for a reset of the connection, `closed` for its end in the middle.
  Task<http::Response> handle(http::Request request);

  struct State;

 private:
  std::shared_ptr<const State> state_;
};

}  // namespace sluice::mock
