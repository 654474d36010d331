#include "net/tunnel.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace sluice::net {
namespace {

constexpr std::size_t most_answer = 8 * 1024;

tl::unexpected<Error> failed(ErrorKind kind, std::string text) {
  return fail(kind, ErrorSource::upstream, std::move(text), Retryable::yes);
}

std::string base64(std::string_view text) {
  std::string result((text.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL ends it with a NUL
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(result.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  result.resize(static_cast<std::size_t>(size));
  return result;
}

std::string request_for(const Proxy& proxy, const std::string& authority) {
  std::string request = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", authority);
  if (!proxy.credentials.empty()) {
    request += fmt::format("Proxy-Authorization: Basic {}\r\n", base64(proxy.credentials.reveal()));
  }
  return request + "\r\n";
}

/// Waits for the next chance after EAGAIN.
Task<Result<void>> wait(Socket& socket, Direction direction) {
  const Readiness readiness = co_await socket.wait(direction);
  if (readiness == Readiness::timed_out) co_return failed(ErrorKind::timeout, "timed out while waiting for the proxy");
  if (readiness == Readiness::closed) co_return failed(ErrorKind::cancelled, "closed while waiting for the proxy");
  co_return Result<void>();
}

tl::unexpected<Error> broken(int error) {
  return failed(ErrorKind::reset, fmt::format("the connection to the proxy broke: {}", std::strerror(error)));
}

Task<Result<void>> send_all(Socket& socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket.descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno != EAGAIN && errno != EINTR) co_return broken(errno);
    if (Result<void> ready = co_await wait(socket, Direction::write); !ready) co_return forward(ready);
  }
  co_return Result<void>();
}

/// "407 Proxy Authentication Required" of a status line, or nothing if that is not HTTP.
std::string status_of(std::string_view head) {
  if (!head.starts_with("HTTP/1.") || head.size() < 12) return {};
  std::string status(head.substr(9, head.find('\r') - 9));
  std::replace_if(
      status.begin(), status.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return status.substr(0, 100);
}

/// Reads the head of the answer and not a byte more.
Task<Result<std::string>> receive_head(Socket& socket) {
  std::string head;
  while (head.size() < most_answer) {
    std::array<char, 1024> buffer;
    const ssize_t got = ::recv(socket.descriptor(), buffer.data(), buffer.size(), 0);
    if (got == 0) co_return failed(ErrorKind::reset, "the proxy closed the connection");
    if (got > 0) {
      head.append(buffer.data(), static_cast<std::size_t>(got));
      const std::size_t end = head.find("\r\n\r\n");
      if (end == std::string::npos) continue;
      // Nobody speaks before us through a fresh tunnel.
      if (status_of(head).starts_with('2') && end + 4 != head.size()) break;
      co_return head;
    }
    if (errno != EAGAIN && errno != EINTR) co_return broken(errno);
    if (Result<void> ready = co_await wait(socket, Direction::read); !ready) co_return forward(ready);
  }
  co_return failed(ErrorKind::connect, "the proxy's answer is not one to CONNECT");
}

}  // namespace

Task<Result<void>> open_tunnel(Socket& socket, const Proxy& proxy, std::string authority, TimePoint deadline) {
  const std::string request = request_for(proxy, authority);
  socket.set_deadline(Direction::read, deadline);
  socket.set_deadline(Direction::write, deadline);
  if (Result<void> sent = co_await send_all(socket, request); !sent) co_return forward(sent);
  const Result<std::string> head = co_await receive_head(socket);
  if (!head) co_return tl::unexpected(head.error());
  const std::string status = status_of(*head);
  if (status.starts_with('2')) co_return Result<void>();
  const std::string why = status.empty() ? "does not speak HTTP" : "refused the tunnel: " + status;
  co_return failed(ErrorKind::connect, "the proxy " + why);
}

}  // namespace sluice::net
