#include "net/socket.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "net/timer_wheel.h"
#include "net/worker_impl.h"

namespace sluice::net {

/// Counted by hand, all on one thread: a waiter that is resumed may destroy the Socket that resumes it.
struct Socket::Core final : EventSink {
  struct Side final : TimerWheel::Entry {
    bool ready = false;  ///< an event came while nobody waited
    TimePoint deadline = never;
    Wait* wait = nullptr;

    void expired() override { finish(Readiness::timed_out); }
    void finish(Readiness result) {
      if (!wait) return;
      Wait& waiting = *std::exchange(wait, nullptr);
      waiting.result_ = result;
      waiting.suspended_ = false;
      waiting.waiter_.resume();
    }
    void became_ready() {
      if (wait) return finish(Readiness::ready);
      ready = true;
    }
  };

  Core(Worker& owner, int fd) : worker(owner), descriptor(fd) { worker.impl().add(fd, *this); }

  Side& side(Direction direction) { return sides[static_cast<std::size_t>(direction)]; }
  bool is_ready(Direction direction) {
    return side(direction).ready || (direction == Direction::read ? ended : broken);
  }
  void release() {
    if (--references == 0) delete this;
  }
  void on_events(std::uint32_t events) override;
  void close();

  Worker& worker;
  int descriptor;  ///< -1: closed
  std::array<Side, 2> sides;
  std::function<void()> watcher;
  int references = 1;
  bool ended = false;   ///< the peer sends no more: reading never waits again
  bool broken = false;  ///< nothing can be written any more
};

void Socket::Core::on_events(std::uint32_t events) {
  ++references;
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) ended = broken = true;
  if ((events & EPOLLRDHUP) != 0) ended = true;
  if ((events & EPOLLOUT) != 0 || broken) side(Direction::write).became_ready();
  if (descriptor >= 0 && ((events & EPOLLIN) != 0 || ended)) {
    const bool somebody_waits = side(Direction::read).wait != nullptr;
    side(Direction::read).became_ready();
    if (!somebody_waits && watcher) std::exchange(watcher, nullptr)();
  }
  release();
}

void Socket::Core::close() {
  if (descriptor < 0) return;
  worker.impl().remove(descriptor, *this);
  ::close(std::exchange(descriptor, -1));
  watcher = nullptr;
  ++references;
  worker.impl().later([this] {
    side(Direction::read).finish(Readiness::closed);
    side(Direction::write).finish(Readiness::closed);
    release();
  });
}

std::unique_ptr<Socket> Socket::adopt(int descriptor) {
  ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) | O_NONBLOCK);
  return std::unique_ptr<Socket>(new Socket(new Core(Worker::current(), descriptor)));
}

Socket::Socket(Core* core) : core_(core) {}

Socket::~Socket() {
  close();
  core_->release();
}

int Socket::descriptor() const { return core_->descriptor; }

Socket::Wait Socket::wait(Direction direction) { return {core_, direction}; }

bool Socket::is_ready(Direction direction) const { return core_->is_ready(direction); }

void Socket::clear_ready(Direction direction) { core_->side(direction).ready = false; }

void Socket::set_deadline(Direction direction, TimePoint deadline) {
  Core::Side& side = core_->side(direction);
  side.deadline = deadline;
  if (side.wait) core_->worker.wheel().schedule(side, deadline);
}

void Socket::watch(std::function<void()> on_event) {
  core_->watcher = std::move(on_event);
  if (!core_->ended) return;
  // No further event will come for an end that is known already.
  Core* const core = core_;
  ++core->references;
  core->worker.impl().later([core] {
    if (core->watcher) std::exchange(core->watcher, nullptr)();
    core->release();
  });
}

void Socket::unwatch() { core_->watcher = nullptr; }

void Socket::close() { core_->close(); }

bool Socket::Wait::await_ready() {
  if (core_->descriptor < 0) {
    result_ = Readiness::closed;
    return true;
  }
  Core::Side& side = core_->side(direction_);
  if (core_->is_ready(direction_)) {
    side.ready = false;
    return true;
  }
  if (side.deadline != never && side.deadline <= Clock::now()) {
    result_ = Readiness::timed_out;
    return true;
  }
  return false;
}

void Socket::Wait::await_suspend(std::coroutine_handle<> waiter) {
  waiter_ = waiter;
  suspended_ = true;
  Core::Side& side = core_->side(direction_);
  side.wait = this;
  core_->worker.wheel().schedule(side, side.deadline);  // also `never`: an older deadline may be linked still
}

Socket::Wait::~Wait() {
  if (!suspended_) return;
  core_->side(direction_).wait = nullptr;  // the wheel entry may stay: without a waiter it expires unheard
}

}  // namespace sluice::net
