#include "connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace sluice::bench {
namespace {

sockaddr_in loopback(std::uint16_t port, std::uint32_t last_byte = 1) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(0x7f000000U | last_byte);
  return address;
}

void set_option(int fd, int level, int option) {
  const int on = 1;
  setsockopt(fd, level, option, &on, sizeof on);
}

const sockaddr* generic(const sockaddr_in& address) { return reinterpret_cast<const sockaddr*>(&address); }

}  // namespace

Connection::~Connection() {
  if (fd_ >= 0) ::close(fd_);
}

void Connection::adopt(int fd) {
  fd_ = fd;
  set_option(fd_, IPPROTO_TCP, TCP_NODELAY);
  loop_.watch(fd_, shared_from_this());
}

void Connection::connect(std::uint16_t port, int source) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  if (source != 0) {
    set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
    const auto from = loopback(0, source);
    if (bind(fd, generic(from), sizeof from) != 0) die("bind");
  }
  const auto to = loopback(port);
  unsent_.clear();
  sent_ = 0;
  paused_ = false;
  connecting_ = true;
  const bool refused = ::connect(fd, generic(to), sizeof to) != 0 && errno != EINPROGRESS;
  adopt(fd);
  if (refused) loop_.at(0, [self = shared_from_this(), this] { fail(); });
}

void Connection::send(std::string_view bytes) {
  if (fd_ < 0) return;
  if (unsent() == 0 && !connecting_) {
    const auto count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count > 0) bytes.remove_prefix(count);
  }
  if (!bytes.empty()) unsent_.append(bytes);
}

void Connection::close() {
  if (fd_ < 0) return;
  const auto self = shared_from_this();
  loop_.forget(fd_);
  ::close(fd_);
  fd_ = -1;
}

void Connection::resume() {
  if (!paused_) return;
  paused_ = false;
  const auto self = shared_from_this();
  read_all();
}

void Connection::on_ready(std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) flush();
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) read_all();
}

void Connection::read_all() {
  static std::array<char, 128 * 1024> buffer;  // one for all: an idle connection owns none
  while (fd_ >= 0 && !paused_) {
    const auto count = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return fail();
    on_bytes({buffer.data(), static_cast<std::size_t>(count)});
  }
}

void Connection::flush() {
  if (fd_ < 0) return;
  if (connecting_) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return fail();
    connecting_ = false;
    on_connected();
  }
  while (fd_ >= 0 && unsent() > 0) {
    const auto count = ::send(fd_, unsent_.data() + sent_, unsent(), MSG_NOSIGNAL);
    if (count < 0) return;  // later; a broken connection shows on the reading side
    sent_ += count;
  }
  unsent_.clear();
  sent_ = 0;
  if (fd_ >= 0) on_drained();
}

void Connection::fail() {
  if (fd_ < 0) return;
  const auto self = shared_from_this();
  close();
  on_closed();
}

int listen_on(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  set_option(fd, SOL_SOCKET, SO_REUSEADDR);
  const auto address = loopback(port);
  if (fd < 0 || bind(fd, generic(address), sizeof address) != 0 || listen(fd, 4096) != 0) die("listen");
  return fd;
}

}  // namespace sluice::bench
