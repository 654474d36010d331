#include "net/dial.h"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "net/timer_wheel.h"
#include "net/worker.h"

namespace sluice::net {
namespace {

using Opened = Result<std::unique_ptr<Socket>>;

constexpr Duration head_start = std::chrono::milliseconds(250);
constexpr std::size_t most_addresses = 8;

tl::unexpected<Error> failed(ErrorKind kind, std::string text) {
  return fail(kind, ErrorSource::upstream, std::move(text), Retryable::yes);
}

tl::unexpected<Error> refused(const Address& address, int error) {
  return failed(ErrorKind::connect, fmt::format("{}: {}", address.host(), std::strerror(error)));
}

void set_options(int descriptor) {
  const auto set = [descriptor](int level, int name, int value) {
    ::setsockopt(descriptor, level, name, &value, sizeof value);
  };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  // A model may think for minutes: probes keep address translators from forgetting the connection.
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 15);
  set(IPPROTO_TCP, TCP_KEEPCNT, 4);
}

Task<Opened> open(Address address) {
  const int descriptor = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) co_return refused(address, errno);
  set_options(descriptor);
  const int error = ::connect(descriptor, address.data(), address.size()) == 0 ? 0 : errno;
  std::unique_ptr<Socket> socket = Socket::adopt(descriptor);
  if (error == 0) co_return socket;
  if (error != EINPROGRESS) co_return refused(address, error);
  co_await socket->wait(Direction::write);
  int outcome = 0;
  socklen_t size = sizeof outcome;
  ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &outcome, &size);
  if (outcome != 0) co_return refused(address, outcome);
  co_return socket;
}

/// Waits until one of several started tasks is done or the time has come.
class AnyDone final : TimerWheel::Entry {
 public:
  AnyDone(std::vector<Task<Opened>>& tasks, TimePoint deadline) : tasks_(tasks), deadline_(deadline) {}
  ~AnyDone() override { detach(); }
  bool await_ready() const {
    return std::any_of(tasks_.begin(), tasks_.end(), [](const auto& task) { return task.done(); });
  }
  void await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    for (Task<Opened>& task : tasks_) task.set_continuation(waiter);
    if (deadline_ != never) Worker::current().wheel().schedule(*this, deadline_);
  }
  void await_resume() { detach(); }

 private:
  void expired() override {
    const std::coroutine_handle<> waiter = waiter_;
    detach();
    waiter.resume();
  }
  void detach() {
    if (!std::exchange(waiter_, {})) return;
    for (Task<Opened>& task : tasks_) {
      if (!task.done()) task.set_continuation(std::noop_coroutine());
    }
  }

  std::vector<Task<Opened>>& tasks_;
  TimePoint deadline_;
  std::coroutine_handle<> waiter_;
};

/// The attempts of one `dial`.
class Race {
 public:
  explicit Race(std::vector<Address> addresses) : addresses_(std::move(addresses)) {}

  bool has_next() const { return next_ < addresses_.size(); }
  bool is_over() const { return !has_next() && running_.empty(); }
  TimePoint next_start() const { return next_start_; }

  void start_next() {
    running_.push_back(open(addresses_[next_++]));
    running_.back().start();
    next_start_ = Clock::now() + head_start;
  }
  /// Takes the attempts that have ended; the winner's socket or null.
  std::unique_ptr<Socket> harvest() {
    for (auto task = running_.begin(); task != running_.end();) {
      if (!task->done()) {
        ++task;
        continue;
      }
      Opened opened = task->take();
      if (opened) return std::move(*opened);
      failures_ += (failures_.empty() ? "" : "; ") + opened.error().text;
      task = running_.erase(task);
      next_start_ = TimePoint();  // a failure needs no patience
    }
    return nullptr;
  }
  AnyDone progress(TimePoint until) { return {running_, until}; }
  const std::string& failures() const { return failures_; }

 private:
  std::vector<Address> addresses_;
  std::size_t next_ = 0;
  TimePoint next_start_{};
  std::vector<Task<Opened>> running_;
  std::string failures_;
};

}  // namespace

std::vector<Address> interleaved(const std::vector<Address>& addresses) {
  std::vector<Address> mine, other, result;
  for (const Address& address : addresses) {
    (address.family() == addresses.front().family() ? mine : other).push_back(address);
  }
  for (std::size_t i = 0; i < std::max(mine.size(), other.size()); ++i) {
    if (i < mine.size()) result.push_back(mine[i]);
    if (i < other.size()) result.push_back(other[i]);
  }
  if (result.size() > most_addresses) result.resize(most_addresses);
  return result;
}

Task<Result<std::unique_ptr<Socket>>> dial(std::vector<Address> addresses, TimePoint deadline) {
  Race race(interleaved(addresses));
  while (true) {
    if (race.has_next() && race.next_start() <= Clock::now()) race.start_next();
    if (std::unique_ptr<Socket> winner = race.harvest()) co_return winner;
    if (race.is_over()) co_return failed(ErrorKind::connect, "cannot connect: " + race.failures());
    if (deadline <= Clock::now()) {
      const std::string& failures = race.failures();
      co_return failed(ErrorKind::timeout,
                       "timed out while connecting" + (failures.empty() ? "" : " (" + failures + ")"));
    }
    if (race.has_next() && race.next_start() <= Clock::now()) continue;
    co_await race.progress(race.has_next() ? std::min(race.next_start(), deadline) : deadline);
  }
}

}  // namespace sluice::net
