#include "net/mailbox.h"

#include <unistd.h>

#include <cstdint>
#include <utility>

namespace sluice::net {

void Mailbox::post(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (wakeup_ < 0) return;
  work_.push_back(std::move(work));
  // Only the first needs to wake the loop; a full counter means that it is awake already.
  const std::uint64_t one = 1;
  if (work_.size() == 1 && ::write(wakeup_, &one, sizeof one) < 0) return;
}

std::vector<std::function<void()>> Mailbox::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(work_, {});
}

void Mailbox::close() {
  std::vector<std::function<void()>> dropped;  // what it owns goes without the lock
  const std::lock_guard lock(mutex_);
  wakeup_ = -1;
  dropped.swap(work_);
}

}  // namespace sluice::net
