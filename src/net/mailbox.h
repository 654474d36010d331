#pragma once

#include <functional>
#include <mutex>
#include <vector>

namespace sluice::net {

/// The one way into a loop from other threads. Outlives its loop: what is posted after the loop has gone is dropped.
class Mailbox {
 public:
  /// `wakeup` is an eventfd that ends the loop's wait; the loop owns it.
  explicit Mailbox(int wakeup) : wakeup_(wakeup) {}

  /// From any thread.
  void post(std::function<void()> work);
  /// What has been posted so far, in order. On the loop's thread.
  std::vector<std::function<void()>> take();
  /// The loop ends.
  void close();

 private:
  std::mutex mutex_;
  int wakeup_;  ///< -1: closed
  std::vector<std::function<void()>> work_;
};

}  // namespace sluice::net
