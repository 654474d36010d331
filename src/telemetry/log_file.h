#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"

namespace sluice::telemetry {

/// Where lines go: standard output, standard error or a file that is appended to. Writing waits for a reader that does
/// not read, but never past a deadline. Move-only.
class LogFile {
 public:
  LogFile() = default;
  /// "stdout", "stderr" or a path; the file is made if there is none. Fails with ErrorKind::config.
  static Result<LogFile> open(std::string_view target);
  LogFile(LogFile&& other) noexcept;
  LogFile& operator=(LogFile&& other) noexcept;
  ~LogFile();

  struct Written {
    std::size_t bytes = 0;
    bool failed = false;  ///< the rest cannot be written; otherwise the deadline came, or nothing is left
  };
  /// Writes as much of `text` as it can until `deadline`. Without a target everything counts as written.
  Written write(std::string_view text, TimePoint deadline);

 private:
  LogFile(int descriptor, bool owned);
  /// The bytes written, or -1 if it failed for good.
  std::ptrdiff_t write_some(std::string_view text);
  bool wait_until_writable(TimePoint deadline) const;

  int descriptor_ = -1;
  bool owned_ = false;
  bool regular_ = false;  ///< a plain file: never to be waited for
  int failure_ = 0;       ///< why the last write did not succeed; reported once
};

}  // namespace sluice::telemetry
