#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace sluice {

namespace {

struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
};

tl::unexpected<Error> cannot_read(std::string why) {
  return fail(ErrorKind::config, ErrorSource::gateway, std::move(why));
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  // Not blocking: opening a pipe would wait for a writer.
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat status {};
  if (file.number < 0 || ::fstat(file.number, &status) != 0) return cannot_read(std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return cannot_read("it is not a regular file");

  // A byte more than its size shows the end at once; a file that grows meanwhile gets more room.
  std::string content;
  std::size_t length = 0;
  std::size_t room = std::min(static_cast<std::size_t>(status.st_size), limit) + 1;
  while (true) {
    content.resize(room);
    const ssize_t count = ::read(file.number, content.data() + length, room - length);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return cannot_read(std::strerror(errno));
    if (count == 0) break;
    length += static_cast<std::size_t>(count);
    if (length > limit) return cannot_read(fmt::format("it is larger than {} bytes", limit));
    if (length == room) room = std::min(2 * room, limit + 1);
  }
  content.resize(length);
  return content;
}

}  // namespace sluice
