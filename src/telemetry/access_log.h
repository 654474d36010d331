#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "base/error.h"
#include "telemetry/log_file.h"

namespace sluice::telemetry {

class Metrics;

/// Takes lines from any thread without ever waiting for the disk or for whoever reads standard output: one thread of
/// its own writes them, some milliseconds later. What does not fit into a bounded buffer is dropped and counted.
///
/// Two buffers: callers append to the front one while the thread writes the back one; then they are swapped.
class AccessLog {
 public:
  static constexpr std::size_t default_capacity = 4 * 1024 * 1024;

  /// `target` is "stdout", "stderr", "off" or a file's path. Dropped lines are also counted in `metrics`, which
  /// outlives this object. Start-up: throws std::runtime_error if the file cannot be opened.
  AccessLog(std::string_view target, Metrics& metrics, std::size_t capacity = default_capacity);
  /// Writes what is left, for at most two seconds.
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  /// False if lines go nowhere: do not make any.
  bool enabled() const { return enabled_.load(std::memory_order_relaxed); }

  /// Hands over a line, with its line feed. Never blocks for long; false if it was dropped.
  bool write(std::string_view line);

  /// Opens the target anew, after the file was moved away (logrotate). On failure the old one stays, and the log says
  /// so.
  void reopen();
  /// Lines go to another target from now on. On failure nothing changes.
  Result<void> redirect(std::string_view target);

  /// Waits until all lines handed over before are written or dropped, or `deadline` has come: false.
  bool flush(TimePoint deadline);

  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  void run();
  bool has_work() const;
  void write_back(std::unique_lock<std::mutex>& lock);
  void drop(std::size_t lines);
  void use_next_file(std::size_t& at);

  Metrics& metrics_;
  const std::size_t capacity_;  ///< of each buffer
  std::atomic<bool> enabled_{false};
  std::atomic<std::uint64_t> dropped_{0};

  std::mutex mutex_;
  std::condition_variable wake_;     ///< for the thread: there is something to do
  std::condition_variable written_;  ///< for flush: the back buffer is empty again
  // Under mutex_:
  std::string target_;
  std::string front_;
  std::optional<LogFile> next_file_;
  std::size_t next_begins_ = 0;  ///< where in `front_` the lines for `next_file_` begin
  bool asleep_ = false;          ///< the thread waits for a first line
  bool writing_ = false;         ///< the back buffer holds lines
  bool hurry_ = false;           ///< somebody waits for the lines
  bool stopping_ = false;
  TimePoint give_up_ = never;

  // The thread's own:
  std::string back_;
  LogFile file_;

  std::thread thread_;
};

}  // namespace sluice::telemetry
