#include "net/socket.h"

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <fcntl.h>

#include <array>
#include <utility>

#include "net/timer_wheel.h"
#include "net/worker_impl.h"

namespace sluice::net {

namespace asio = boost::asio;

/// Outlives the Socket while the loop still holds a handler for it; counted by hand since all is on one thread.
struct Socket::Core {
  using Descriptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;

  struct Side final : TimerWheel::Entry {
    Core* core = nullptr;
    Direction direction = Direction::read;
    bool armed = false;  ///< the loop will tell us
    bool ready = false;  ///< it told us while nobody waited
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
  };

  Core(Worker& owner, int fd) : worker(owner), descriptor(owner.impl().io, fd) {
    for (Direction direction : {Direction::read, Direction::write}) {
      side(direction).core = this;
      side(direction).direction = direction;
    }
  }

  Side& side(Direction direction) { return sides[static_cast<std::size_t>(direction)]; }
  void release() {
    if (--references == 0) delete this;
  }

  void arm(Side& side);
  void fired(Side& side);

  Worker& worker;
  Descriptor descriptor;
  std::array<Side, 2> sides;
  std::function<void()> watcher;
  int references = 1;
  bool open = true;
};

namespace {

/// A counted reference as a completion handler: whatever becomes of the handler, the count is given back.
template <class Core, class Side>
class Armed {
 public:
  Armed(Core* core, Side* side) : core_(core), side_(side) { ++core_->references; }
  Armed(Armed&& other) noexcept : core_(std::exchange(other.core_, nullptr)), side_(other.side_) {}
  Armed(const Armed& other) = delete;
  Armed& operator=(const Armed&) = delete;
  ~Armed() {
    if (core_) core_->release();
  }
  void operator()(boost::system::error_code) { core_->fired(*side_); }

 private:
  Core* core_;
  Side* side_;
};

}  // namespace

void Socket::Core::arm(Side& side) {
  if (side.armed) return;
  side.armed = true;
  const auto type = side.direction == Direction::read ? Descriptor::wait_read : Descriptor::wait_write;
  descriptor.async_wait(type, Armed<Core, Side>(this, &side));
}

void Socket::Core::fired(Side& side) {
  side.armed = false;
  if (!open) return side.finish(Readiness::closed);
  if (side.wait) return side.finish(Readiness::ready);
  side.ready = true;
  if (side.direction == Direction::read && watcher) std::exchange(watcher, nullptr)();
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

int Socket::descriptor() const { return core_->open ? core_->descriptor.native_handle() : -1; }

Socket::Wait Socket::wait(Direction direction) { return {core_, direction}; }

void Socket::set_deadline(Direction direction, TimePoint deadline) {
  Core::Side& side = core_->side(direction);
  side.deadline = deadline;
  if (side.wait) core_->worker.wheel().schedule(side, deadline);
}

void Socket::watch(std::function<void()> on_readable) {
  core_->watcher = std::move(on_readable);
  Core::Side& side = core_->side(Direction::read);
  side.ready = false;
  core_->arm(side);
}

void Socket::unwatch() { core_->watcher = nullptr; }

void Socket::close() {
  if (!core_->open) return;
  core_->open = false;
  core_->watcher = nullptr;
  boost::system::error_code ignored;
  core_->descriptor.close(ignored);
}

bool Socket::Wait::await_ready() {
  if (!core_->open) {
    result_ = Readiness::closed;
    return true;
  }
  Core::Side& side = core_->side(direction_);
  if (side.ready) {
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
  if (side.deadline != never) core_->worker.wheel().schedule(side, side.deadline);
  core_->arm(side);
}

Socket::Wait::~Wait() {
  if (!suspended_) return;
  Core::Side& side = core_->side(direction_);
  side.wait = nullptr;  // the wheel entry may stay: without a waiter it expires unheard
}

}  // namespace sluice::net
