#include "loop.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <utility>

namespace sluice::bench {
namespace {

class InputEnd final : public Watcher {
 public:
  InputEnd(Loop& loop, std::function<void()> action) : loop_(loop), action_(std::move(action)) {}

  void on_ready(std::uint32_t) override {
    std::array<char, 256> ignored;
    ssize_t count = 1;
    while ((count = ::read(STDIN_FILENO, ignored.data(), ignored.size())) > 0) {
    }
    if (count < 0 && errno == EAGAIN) return;
    loop_.forget(STDIN_FILENO);
    std::exchange(action_, [] {})();
  }

 private:
  Loop& loop_;
  std::function<void()> action_;
};

}  // namespace

Nanos now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * second + time.tv_nsec;
}

Loop::Loop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) die("epoll_create1");
  std::signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_TIMERSLACK, 1UL);  // the default of 50 us would be part of every measured latency
}

Loop::~Loop() { ::close(epoll_); }

void Loop::watch(int fd, std::shared_ptr<Watcher> watcher, std::uint32_t events) {
  if (watchers_.size() <= static_cast<std::size_t>(fd)) watchers_.resize(fd + 1);
  watchers_[fd] = std::move(watcher);
  epoll_event event{.events = events, .data = {.fd = fd}};
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
}

void Loop::forget(int fd) {
  epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  watchers_[fd].reset();
}

void Loop::at(Nanos when, std::function<void()> action) { timers_.push({when, timers_made_++, std::move(action)}); }

void Loop::run() {
  running_ = true;
  while (running_) {
    run_timers();
    if (running_) wait_for_events();
  }
}

void Loop::run_timers() {
  if (timers_.empty()) return;
  const Nanos until = now();
  while (running_ && !timers_.empty() && timers_.top().when <= until) {
    auto action = std::move(const_cast<Timer&>(timers_.top()).action);
    timers_.pop();
    action();
  }
}

void Loop::wait_for_events() {
  std::array<epoll_event, 256> events;
  timespec wait{};
  if (!timers_.empty()) {
    const Nanos left = std::max<Nanos>(timers_.top().when - now(), 0);
    wait = {.tv_sec = left / second, .tv_nsec = left % second};
  }
  const int count = epoll_pwait2(epoll_, events.data(), events.size(), timers_.empty() ? nullptr : &wait, nullptr);
  if (count < 0 && errno != EINTR) die("epoll_pwait2");
  for (int i = 0; i < count; ++i) {
    const auto watcher = watchers_[events[i].data.fd];  // a copy: the call may forget it
    if (watcher) watcher->on_ready(events[i].events);
  }
}

void die(const char* what) {
  std::fprintf(stderr, "%s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

void raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void on_input_end(Loop& loop, std::function<void()> action) {
  fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
  loop.watch(STDIN_FILENO, std::make_shared<InputEnd>(loop, std::move(action)), EPOLLIN | EPOLLRDHUP);
}

}  // namespace sluice::bench
