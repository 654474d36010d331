#include "net/connect.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "net/address.h"
#include "net/dial.h"
#include "net/resolver.h"
#include "net/socket.h"
#include "net/tunnel.h"

namespace sluice::net {
namespace {

std::string without_brackets(const std::string& host) {
  return host.starts_with('[') && host.ends_with(']') ? host.substr(1, host.size() - 2) : host;
}

/// A host goes into the CONNECT line and into texts: nothing in it may end a line.
bool is_host(const std::string& host) {
  return !host.empty() && std::none_of(host.begin(), host.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f; });
}

std::string describe(const ConnectTarget& target, const std::string& authority) {
  if (!target.proxy) return authority;
  return fmt::format("{} through proxy {}", authority, join_host_port(target.proxy->host, target.proxy->port));
}

/// A connected socket to the target, or to the target through its proxy.
Task<Result<std::unique_ptr<Socket>>> open_socket(const ConnectTarget& target, const std::string& host,
                                                  const std::string& authority, TimePoint deadline) {
  const std::string& hop = target.proxy ? target.proxy->host : host;
  Result<std::vector<Address>> addresses =
      co_await resolve(hop, target.proxy ? target.proxy->port : target.port, deadline);
  if (!addresses) co_return forward(addresses);
  Result<std::unique_ptr<Socket>> socket = co_await dial(std::move(*addresses), deadline);
  if (!socket || !target.proxy) co_return socket;
  Result<void> tunnel = co_await open_tunnel(**socket, *target.proxy, authority, deadline);
  if (!tunnel) co_return forward(tunnel);
  co_return socket;
}

Task<Result<std::unique_ptr<Stream>>> open_stream(const ConnectTarget& target, const std::string& host,
                                                  const std::string& authority, TimePoint deadline) {
  Result<std::unique_ptr<Socket>> socket = co_await open_socket(target, host, authority, deadline);
  if (!socket) co_return forward(socket);
  std::unique_ptr<TlsSession> tls;
  if (target.tls) {
    const std::string& name = target.server_name.empty() ? host : target.server_name;
    tls = TlsSession::connect(target.tls, (*socket)->descriptor(), name, target.port);
  }
  auto stream = std::make_unique<Stream>(std::move(*socket), std::move(tls), ErrorSource::upstream);
  stream->set_read_deadline(deadline);
  stream->set_write_deadline(deadline);
  Result<void> handshake = co_await stream->handshake();
  if (!handshake) co_return forward(handshake);
  stream->set_read_deadline(never);
  stream->set_write_deadline(never);
  co_return stream;
}

}  // namespace

Task<Result<std::unique_ptr<Stream>>> connect(const ConnectTarget& target, TimePoint deadline) {
  const std::string host = without_brackets(target.host);
  if (!is_host(host)) {
    co_return fail(ErrorKind::resolve, ErrorSource::upstream, "not a host name", Retryable::no);
  }
  const std::string authority = join_host_port(host, target.port);
  Result<std::unique_ptr<Stream>> stream = co_await open_stream(target, host, authority, deadline);
  if (stream) co_return stream;
  Error& error = stream.error();
  error.text = fmt::format("{}: {}", describe(target, authority), error.text);
  error.retryable = Retryable::yes;
  // Before the first byte of a request a broken connection is one that was never there.
  if (error.kind == ErrorKind::reset) error.kind = ErrorKind::connect;
  co_return forward(stream);
}

}  // namespace sluice::net
