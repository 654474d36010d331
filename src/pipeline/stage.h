#pragma once

#include <memory>
#include <span>

#include "base/task.h"
#include "http/message.h"

namespace sluice {

class Exchange;

/// Status, headers and a pulled body, on its way back to the client.
using Reply = http::Response;

class Stage;

/// The rest of the pipeline, as seen from one stage. Cheap to copy; valid while the exchange's snapshot is.
class Next {
 public:
  explicit Next(std::span<const std::unique_ptr<Stage>> rest) : rest_(rest) {}
  Task<Reply> operator()(Exchange& exchange) const;

 private:
  std::span<const std::unique_ptr<Stage>> rest_;
};

/// One layer of the onion. Shared by all exchanges of a snapshot: it must not keep per-exchange state in itself.
class Stage {
 public:
  virtual ~Stage() = default;
  /// Handles one exchange: answer it, or call `next` and pass on, watch or rewrite the reply it returns.
  virtual Task<Reply> handle(Exchange& exchange, Next next) = 0;
};

}  // namespace sluice
