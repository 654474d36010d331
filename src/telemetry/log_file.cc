#include "telemetry/log_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

namespace sluice::telemetry {
namespace {

/// A pipe that polls writable takes so much without blocking. We must not make an inherited standard output
/// non-blocking: others share it.
constexpr std::size_t pipe_piece = PIPE_BUF;
constexpr std::size_t file_piece = 1024 * 1024;
constexpr Duration longest_wait = std::chrono::seconds(60);

}  // namespace

Result<LogFile> LogFile::open(std::string_view target) {
  if (target == "stdout") return LogFile(STDOUT_FILENO, false);
  if (target == "stderr") return LogFile(STDERR_FILENO, false);
  const std::string path(target);
  // Non-blocking, so that a FIFO without a reader is an error and not a wait.
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);
  if (descriptor < 0) {
    return fail(ErrorKind::config, ErrorSource::gateway,
                fmt::format("The access log {} cannot be opened: {}.", path, std::strerror(errno)));
  }
  return LogFile(descriptor, true);
}

LogFile::LogFile(int descriptor, bool owned) : descriptor_(descriptor), owned_(owned) {
  struct stat status {};
  regular_ = ::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode);
}

LogFile::LogFile(LogFile&& other) noexcept { *this = std::move(other); }

LogFile& LogFile::operator=(LogFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(owned_, other.owned_);
  std::swap(regular_, other.regular_);
  std::swap(failure_, other.failure_);
  return *this;
}

LogFile::~LogFile() {
  if (owned_) ::close(descriptor_);
}

LogFile::Written LogFile::write(std::string_view text, TimePoint deadline) {
  if (descriptor_ < 0) return {text.size(), false};
  std::size_t written = 0;
  while (written < text.size()) {
    if (!regular_ && !wait_until_writable(deadline)) break;
    const std::ptrdiff_t some = write_some(text.substr(written));
    if (some < 0) return {written, true};
    written += static_cast<std::size_t>(some);
  }
  return {written, false};
}

std::ptrdiff_t LogFile::write_some(std::string_view text) {
  const ssize_t result = ::write(descriptor_, text.data(), std::min(text.size(), regular_ ? file_piece : pipe_piece));
  if (result >= 0) {
    failure_ = 0;
    return result;
  }
  if (errno == EINTR || errno == EAGAIN) return 0;
  if (failure_ != errno) {
    failure_ = errno;
    spdlog::error("The access log cannot be written, lines are lost: {}", std::strerror(failure_));
  }
  return -1;
}

bool LogFile::wait_until_writable(TimePoint deadline) const {
  const Duration left = std::min<Duration>(deadline - Clock::now(), longest_wait);
  if (left <= Duration::zero()) return false;
  pollfd wanted{descriptor_, POLLOUT, 0};
  // An error counts as writable: the write tells what it is.
  return ::poll(&wanted, 1, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count())) > 0;
}

}  // namespace sluice::telemetry
