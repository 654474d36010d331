#include "telemetry/access_log.h"

#include <pthread.h>
#include <signal.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "telemetry/metrics.h"

namespace sluice::telemetry {
namespace {

/// Lines are gathered for so long before they are written together.
constexpr Duration gathering = std::chrono::milliseconds(20);
/// A writer that waits for a reader looks up so often.
constexpr Duration patience = std::chrono::milliseconds(100);
constexpr Duration last_flush = std::chrono::seconds(2);
/// Buffers that had to grow beyond this are given back.
constexpr std::size_t kept_capacity = 256 * 1024;

constexpr std::string_view off = "off";

/// Signals belong to the control thread; a reader that has gone is an error of the write.
void block_all_signals() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

std::size_t count_lines(std::string_view text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

Result<LogFile> open_target(std::string_view target) {
  if (target == off) return LogFile();
  return LogFile::open(target);
}

}  // namespace

AccessLog::AccessLog(std::string_view target, Metrics& metrics, std::size_t capacity)
    : metrics_(metrics), capacity_(capacity / 2), target_(target) {
  Result<LogFile> file = open_target(target);
  if (!file) throw std::runtime_error(file.error().text);
  file_ = std::move(*file);
  enabled_ = target != off;
  thread_ = std::thread(&AccessLog::run, this);
}

AccessLog::~AccessLog() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    give_up_ = Clock::now() + last_flush;
  }
  wake_.notify_one();
  thread_.join();
}

bool AccessLog::write(std::string_view line) {
  if (!enabled()) return true;
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (front_.size() + line.size() > capacity_) {
      drop(1);
      return false;
    }
    const bool was_low = front_.size() < capacity_ / 2;
    front_ += line;
    // One wake-up for a first line, one when the buffer fills faster than the thread gathers; none for the rest.
    wake = std::exchange(asleep_, false) || (was_low && front_.size() >= capacity_ / 2);
  }
  if (wake) wake_.notify_one();
  return true;
}

void AccessLog::reopen() {
  std::string target;
  {
    const std::lock_guard lock(mutex_);
    target = target_;
  }
  if (const Result<void> opened = redirect(target); !opened) spdlog::error("{}", opened.error().text);
}

Result<void> AccessLog::redirect(std::string_view target) {
  Result<LogFile> file = open_target(target);
  if (!file) return forward(file);
  {
    const std::lock_guard lock(mutex_);
    target_ = target;
    next_file_ = std::move(*file);
    next_begins_ = front_.size();
    asleep_ = false;
  }
  enabled_ = target != off;
  wake_.notify_one();
  return {};
}

bool AccessLog::flush(TimePoint deadline) {
  std::unique_lock lock(mutex_);
  hurry_ = true;
  wake_.notify_one();
  return written_.wait_until(lock, deadline, [this] { return front_.empty() && !writing_; });
}

bool AccessLog::has_work() const { return !front_.empty() || next_file_ || stopping_; }

void AccessLog::run() {
  block_all_signals();
  ::pthread_setname_np(::pthread_self(), "access-log");
  std::unique_lock lock(mutex_);
  while (true) {
    asleep_ = true;
    wake_.wait(lock, [this] { return has_work(); });
    asleep_ = false;
    wake_.wait_for(lock, gathering,
                   [this] { return stopping_ || hurry_ || next_file_ || front_.size() >= capacity_ / 2; });
    hurry_ = false;
    write_back(lock);
    if (stopping_ && front_.empty()) return;
  }
}

// Swaps the buffers and writes what was in front. A new file begins with a whole line.
void AccessLog::write_back(std::unique_lock<std::mutex>& lock) {
  std::swap(front_, back_);
  writing_ = true;
  std::size_t at = 0;
  // Lines from before a change of files belong to the old one, unless that one does not take them.
  std::size_t end = next_file_ ? std::min(next_begins_, back_.size()) : back_.size();
  bool tried = false;
  while (at < back_.size() || next_file_) {
    if (next_file_ && (tried || at == end)) {
      use_next_file(at);
      end = back_.size();
    }
    if (at == end) continue;
    const TimePoint deadline = std::min(Clock::now() + patience, give_up_);
    const bool last_try = deadline == give_up_;
    lock.unlock();
    const LogFile::Written written = file_.write(std::string_view(back_).substr(at, end - at), deadline);
    lock.lock();
    tried = true;
    at += written.bytes;
    const bool lost = written.failed || (last_try && at < end);
    if (lost) {
      drop(count_lines(std::string_view(back_).substr(at, end - at)));
      at = end;
    }
  }
  back_.clear();
  if (back_.capacity() > kept_capacity) back_.shrink_to_fit();
  writing_ = false;
  written_.notify_all();
}

void AccessLog::use_next_file(std::size_t& at) {
  file_ = std::move(*next_file_);
  next_file_.reset();
  if (at == back_.size()) return;
  const std::size_t line = at == 0 ? std::string::npos : back_.rfind('\n', at - 1);
  at = line == std::string::npos ? 0 : line + 1;
}

void AccessLog::drop(std::size_t lines) {
  dropped_.fetch_add(lines, std::memory_order_relaxed);
  if (lines > 0) metrics_.access_log_dropped(lines);
}

}  // namespace sluice::telemetry
