#include "net/listener.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "net/address.h"
#include "net/socket.h"
#include "net/worker.h"

namespace sluice::net {
namespace {

constexpr int backlog = 4096;
/// When descriptors run out, accepting again at once would spin.
constexpr Duration refusal_pause = std::chrono::milliseconds(100);

void set_option(int descriptor, int level, int name) {
  const int on = 1;
  ::setsockopt(descriptor, level, name, &on, sizeof on);
}

tl::unexpected<Error> cannot_listen(const std::string& address, std::string_view why) {
  return fail(ErrorKind::config, ErrorSource::gateway, fmt::format("cannot listen on {}: {}", address, why));
}

}  // namespace

struct Listener::State {
  std::unique_ptr<Socket> socket;
  OnAccept on_accept;
  OnRefusal on_refusal;

  /// Accepts until nothing is queued; false if the system refused and a pause is due.
  bool accept_queued() {
    while (true) {
      const int descriptor = ::accept4(socket->descriptor(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (descriptor >= 0) {
        set_option(descriptor, IPPROTO_TCP, TCP_NODELAY);
        on_accept(descriptor);
      } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        on_refusal("descriptors");
        return false;
      } else if (errno == EAGAIN || errno == EBADF) {
        return true;
      }
      // Any other error is that of the connection at the head of the queue (accept(2)): on to the next one.
    }
  }
};

namespace {

Result<int> bind_socket(const std::string& text, bool shared) {
  const Result<Address> address = Address::parse(text);
  if (!address) return cannot_listen(text, address.error().text);
  const int descriptor = ::socket(address->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return cannot_listen(text, std::strerror(errno));
  set_option(descriptor, SOL_SOCKET, SO_REUSEADDR);
  if (shared) set_option(descriptor, SOL_SOCKET, SO_REUSEPORT);
  if (::bind(descriptor, address->data(), address->size()) != 0 || ::listen(descriptor, backlog) != 0) {
    const int why = errno;
    ::close(descriptor);
    return cannot_listen(text, std::strerror(why));
  }
  return descriptor;
}

}  // namespace

Result<int> Listener::bind(const std::string& address) { return bind_socket(address, true); }

Result<void> Listener::check_free(const std::string& address) {
  const Result<int> descriptor = bind_socket(address, false);
  if (!descriptor) return tl::unexpected(descriptor.error());
  ::close(*descriptor);
  return {};
}

Listener::Listener(int descriptor, OnAccept on_accept, OnRefusal on_refusal) : state_(std::make_shared<State>()) {
  state_->socket = Socket::adopt(descriptor);
  state_->on_accept = std::move(on_accept);
  state_->on_refusal = std::move(on_refusal);
  spawn(accept_loop(state_));
}

Listener::~Listener() {
  state_->accept_queued();
  state_->socket->close();
}

std::string Listener::local_address(int descriptor) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &size);
  const std::optional<Address> address = Address::from_system(reinterpret_cast<const sockaddr*>(&storage));
  return address ? address->to_string() : std::string();
}

Task<void> Listener::accept_loop(std::shared_ptr<State> state) {
  while (co_await state->socket->wait(Direction::read) == Readiness::ready) {
    // What is queued is not told of again: whoever came while descriptors were short is tried for until he is in.
    while (!state->accept_queued()) co_await sleep_for(refusal_pause);
  }
}

}  // namespace sluice::net
