#include "net/stream.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/block_pool.h"
#include "net/socket.h"
#include "net/tls.h"

namespace sluice::net {
namespace {

constexpr std::size_t most_pieces = 16;

Error not_ready(Readiness readiness, std::string_view doing, ErrorSource source) {
  if (readiness == Readiness::timed_out) {
    return {ErrorKind::timeout, source, Retryable::no, fmt::format("timed out while {}", doing)};
  }
  return {ErrorKind::cancelled, source, Retryable::no, fmt::format("closed while {}", doing)};
}

Error tls_failure(const IoStep& step, std::string_view doing, ErrorSource source) {
  return {ErrorKind::reset, source, Retryable::no, fmt::format("TLS failed while {}: {}", doing, step.reason)};
}

Direction wanted(const IoStep& step) {
  return step.status == IoStep::Status::want_write ? Direction::write : Direction::read;
}

bool waits(const IoStep& step) {
  return step.status == IoStep::Status::want_read || step.status == IoStep::Status::want_write;
}

/// Pieces as system calls want them, with what is already written taken off the front.
class Pieces {
 public:
  explicit Pieces(std::span<const std::string_view> pieces) {
    for (std::string_view piece : pieces) {
      if (!piece.empty() && count_ < most_pieces) vectors_[count_++] = {const_cast<char*>(piece.data()), piece.size()};
    }
  }
  bool empty() const { return first_ == count_; }
  msghdr message() {
    msghdr result{};
    result.msg_iov = vectors_.data() + first_;
    result.msg_iovlen = count_ - first_;
    return result;
  }
  void advance(std::size_t written) {
    while (written > 0) {
      iovec& vector = vectors_[first_];
      const std::size_t taken = std::min(written, vector.iov_len);
      vector.iov_base = static_cast<char*>(vector.iov_base) + taken;
      vector.iov_len -= taken;
      written -= taken;
      if (vector.iov_len == 0) ++first_;
    }
  }
  /// Copies what fits into one buffer, so that TLS makes one record of many small pieces.
  std::string_view gather(std::span<char> into) const {
    std::size_t size = 0;
    for (std::size_t i = first_; i < count_ && size < into.size(); ++i) {
      const std::size_t taken = std::min(vectors_[i].iov_len, into.size() - size);
      std::memcpy(into.data() + size, vectors_[i].iov_base, taken);
      size += taken;
    }
    return {into.data(), size};
  }

 private:
  std::array<iovec, most_pieces> vectors_{};
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

std::string address_of_peer(int descriptor) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
  char text[INET6_ADDRSTRLEN] = "";
  if (storage.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(&storage)->sin_addr, text, sizeof text);
  } else if (storage.ss_family == AF_INET6) {
    ::inet_ntop(AF_INET6, &reinterpret_cast<sockaddr_in6*>(&storage)->sin6_addr, text, sizeof text);
  }
  return text;
}

}  // namespace

Stream::Stream(std::unique_ptr<Socket> socket, std::unique_ptr<TlsSession> tls, ErrorSource source)
    : socket_(std::move(socket)), tls_(std::move(tls)), source_(source) {}

Stream::~Stream() = default;

Error Stream::error_of(int error_number, std::string_view doing) const {
  return {ErrorKind::reset, source_, Retryable::no, fmt::format("{} while {}", std::strerror(error_number), doing)};
}

Task<Result<void>> Stream::handshake() {
  while (tls_) {
    if (!is_open()) co_return tl::unexpected(not_ready(Readiness::closed, "in the TLS handshake", source_));
    const IoStep step = tls_->handshake();
    if (step.status == IoStep::Status::done) break;
    if (!waits(step)) {
      const std::string why = step.status == IoStep::Status::end ? "the peer closed the connection" : step.reason;
      co_return fail(ErrorKind::tls, source_, fmt::format("TLS handshake failed: {}", why));
    }
    const Readiness readiness = co_await socket_->wait(wanted(step));
    if (readiness != Readiness::ready) co_return tl::unexpected(not_ready(readiness, "in the TLS handshake", source_));
  }
  co_return Result<void>();
}

Task<Result<void>> Stream::readable() {
  if (tls_ && tls_->pending()) co_return Result<void>();
  // Events come once: what the last read left behind is not told of again.
  if (!drained_ && is_open() && has_something()) co_return Result<void>();
  while (true) {
    const bool old_news = socket_->is_ready(Direction::read);
    const Readiness readiness = co_await socket_->wait(Direction::read);
    if (readiness != Readiness::ready) co_return tl::unexpected(not_ready(readiness, "waiting for data", source_));
    drained_ = false;
    // An event that came earlier may tell of bytes that were taken already; whoever trusted it would hold a buffer
    // while it waits.
    if (!old_news || has_something()) co_return Result<void>();
  }
}

/// Bytes, the end or an error are there to be read.
bool Stream::has_something() const {
  // Not a peeking recv: that would take a pending error away, and a reset would look like an orderly end.
  pollfd poll{socket_->descriptor(), POLLIN, 0};
  return ::poll(&poll, 1, 0) != 0;
}

Task<Result<std::size_t>> Stream::read(std::span<char> into) {
  while (true) {
    if (!is_open()) co_return tl::unexpected(not_ready(Readiness::closed, "reading", source_));
    Direction next = Direction::read;
    if (tls_) {
      const IoStep step = tls_->read(into);
      drained_ = step.status == IoStep::Status::want_read;
      if (step.status == IoStep::Status::done) co_return step.bytes;
      if (step.status == IoStep::Status::end) co_return std::size_t{0};
      if (step.status == IoStep::Status::failed) co_return tl::unexpected(tls_failure(step, "reading", source_));
      next = wanted(step);
    } else if (!drained_) {
      const ssize_t got = ::recv(socket_->descriptor(), into.data(), into.size(), 0);
      if (got >= 0) {
        drained_ = got > 0 && static_cast<std::size_t>(got) < into.size();
        if (drained_) socket_->clear_ready(Direction::read);
        co_return static_cast<std::size_t>(got);
      }
      if (errno == EINTR) continue;
      if (errno != EAGAIN) co_return tl::unexpected(error_of(errno, "reading"));
    }
    const Readiness readiness = co_await socket_->wait(next);
    if (readiness != Readiness::ready) co_return tl::unexpected(not_ready(readiness, "reading", source_));
    drained_ = false;
  }
}

Task<Readiness> Stream::wait_to_write(Direction direction) {
  if (write_stall_ > Duration::zero()) socket_->set_deadline(direction, Clock::now() + write_stall_);
  co_return co_await socket_->wait(direction);
}

Task<Result<void>> Stream::write(std::string_view text) {
  const std::array<std::string_view, 1> pieces{text};
  co_return co_await write(pieces);
}

Task<Result<void>> Stream::write(std::span<const std::string_view> all) {
  if (tls_) co_return co_await write_tls(all);
  Pieces pieces(all);
  while (!pieces.empty()) {
    if (!is_open()) co_return tl::unexpected(not_ready(Readiness::closed, "writing", source_));
    const msghdr message = pieces.message();
    const ssize_t sent = ::sendmsg(socket_->descriptor(), &message, MSG_NOSIGNAL);
    if (sent >= 0) {
      pieces.advance(static_cast<std::size_t>(sent));
      if (pieces.empty()) break;
    } else if (errno == EINTR) {
      continue;
    } else if (errno != EAGAIN) {
      co_return tl::unexpected(error_of(errno, "writing"));
    }
    const Readiness readiness = co_await wait_to_write(Direction::write);
    if (readiness != Readiness::ready) co_return tl::unexpected(not_ready(readiness, "writing", source_));
  }
  co_return Result<void>();
}

Task<Result<void>> Stream::write_tls(std::span<const std::string_view> all) {
  Pieces pieces(all);
  Block block = Block::acquire();
  while (!pieces.empty()) {
    if (!is_open()) co_return tl::unexpected(not_ready(Readiness::closed, "writing", source_));
    const IoStep step = tls_->write(pieces.gather(block.span()));
    if (step.status == IoStep::Status::done) {
      pieces.advance(step.bytes);
    } else if (waits(step)) {
      const Readiness readiness = co_await wait_to_write(wanted(step));
      if (readiness != Readiness::ready) co_return tl::unexpected(not_ready(readiness, "writing", source_));
    } else {
      co_return tl::unexpected(tls_failure(step, "writing", source_));
    }
  }
  co_return Result<void>();
}

void Stream::set_read_deadline(TimePoint deadline) { socket_->set_deadline(Direction::read, deadline); }
void Stream::set_write_deadline(TimePoint deadline) { socket_->set_deadline(Direction::write, deadline); }

void Stream::set_write_stall(Duration stall) {
  write_stall_ = stall;
  set_write_deadline(never);
}

void Stream::watch(std::function<void()> on_readable) { socket_->watch(std::move(on_readable)); }
void Stream::unwatch() { socket_->unwatch(); }

bool Stream::hung_up() {
  if (!is_open()) return true;
  pollfd poll{socket_->descriptor(), POLLRDHUP, 0};
  return ::poll(&poll, 1, 0) > 0 && (poll.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

bool Stream::has_unread() const {
  if (drained_ && !socket_->is_ready(Direction::read)) return false;
  return !is_open() || (tls_ && tls_->pending()) || has_something();
}

void Stream::shutdown_send() {
  if (!is_open()) return;
  if (tls_) tls_->shutdown();
  ::shutdown(socket_->descriptor(), SHUT_WR);
}

void Stream::close() { socket_->close(); }

void Stream::abort() {
  if (!is_open()) return;
  const linger now{1, 0};
  ::setsockopt(socket_->descriptor(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

bool Stream::is_open() const { return socket_->descriptor() >= 0; }

std::string Stream::peer_address() const { return is_open() ? address_of_peer(socket_->descriptor()) : std::string(); }

}  // namespace sluice::net
