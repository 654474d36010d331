#include "net/worker_impl.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <utility>

#include "net/timer_wheel.h"

namespace sluice::net {
namespace {

/// After `stop`, cancelled operations still owe their waiters an answer; nothing new is waited for.
constexpr int last_turns = 1000;
constexpr Duration longest_wait = std::chrono::hours(1);

timespec to_timespec(Duration wait) {
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(wait);
  return {whole.count(), (wait - whole).count()};
}

}  // namespace

Worker::Impl::Impl() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wakeup_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  if (epoll_ < 0 || wakeup_ < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wakeup_, &event) != 0) {
    throw std::runtime_error("no event loop: the system gives no descriptors for it");
  }
  mailbox_ = std::make_shared<Mailbox>(wakeup_);
}

Worker::Impl::~Impl() {
  mailbox_->close();
  ::close(wakeup_);
  ::close(epoll_);
}

void Worker::Impl::add(int descriptor, EventSink& sink) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &sink;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
}

void Worker::Impl::remove(int descriptor, EventSink& sink) {
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr);
  for (epoll_event& event : pending_) {
    if (event.data.ptr == &sink) event.data.ptr = nullptr;
  }
}

void Worker::Impl::later(std::function<void()> work) { later_.push_back(std::move(work)); }

void Worker::Impl::want_tick() {
  if (next_tick_ == never) next_tick_ = Clock::now() + TimerWheel::tick;
}

bool Worker::Impl::run_posted() {
  const std::vector<std::function<void()>> work = mailbox_->take();
  for (const auto& one : work) one();
  return !work.empty();
}

bool Worker::Impl::run_later() {
  std::vector<std::function<void()>> work;
  work.swap(later_);
  for (auto& one : work) one();
  return !work.empty();
}

bool Worker::Impl::run_timers(TimerWheel& wheel) {
  const TimePoint now = Clock::now();
  if (next_tick_ <= now) {
    next_tick_ = never;
    if (wheel.advance(now)) next_tick_ = now + TimerWheel::tick;
  }
  bool any = false;
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const std::coroutine_handle<> waiter = timers_.extract(timers_.begin()).mapped();
    any = true;
    waiter.resume();
  }
  return any;
}

Duration Worker::Impl::time_to_wait() const {
  if (!later_.empty()) return Duration::zero();
  const TimePoint next = timers_.empty() ? next_tick_ : std::min(next_tick_, timers_.begin()->first);
  if (next == never) return longest_wait;
  return std::clamp(next - Clock::now(), Duration::zero(), longest_wait);
}

int Worker::Impl::collect(Duration wait) {
  if (fine_waits_) {
    const timespec timeout = to_timespec(wait);
    const int count = ::epoll_pwait2(epoll_, events_.data(), batch, &timeout, nullptr);
    if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count;
    fine_waits_ = false;
  }
  const auto whole = std::chrono::ceil<std::chrono::milliseconds>(wait);
  return ::epoll_wait(epoll_, events_.data(), batch, static_cast<int>(whole.count()));
}

bool Worker::Impl::dispatch(Duration wait) {
  const int count = collect(wait);
  pending_ = std::span(events_.data(), static_cast<std::size_t>(std::max(count, 0)));
  while (!pending_.empty()) {
    const epoll_event event = pending_.front();
    pending_ = pending_.subspan(1);
    if (event.data.ptr) static_cast<EventSink*>(event.data.ptr)->on_events(event.events);
  }
  return count > 0;
}

void Worker::Impl::run(TimerWheel& wheel) {
  stopping_ = false;
  while (!stopping_) {
    run_posted();
    run_later();
    run_timers(wheel);
    if (!stopping_) dispatch(time_to_wait());
  }
  for (int turn = 0; turn < last_turns; ++turn) {
    const bool posted = run_posted();
    const bool later = run_later();
    if (!posted && !later && !dispatch(Duration::zero())) break;
  }
}

}  // namespace sluice::net
