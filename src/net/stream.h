#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/task.h"
#include "net/socket.h"

namespace sluice::net {

class TlsSession;

/// A connected byte stream, plain or TLS, bound to the worker that made it. It owns no buffers: a reader brings one
/// when bytes are there, so an idle stream costs a socket and nothing more.
///
/// At most one read-side and one write-side operation at a time. Every operation ends with an Error when its deadline
/// passes (timeout), when the peer resets (reset) or when `close` is called meanwhile (cancelled). The error's source
/// is that given at construction. Destroying a Stream closes it.
class Stream {
 public:
  /// `tls` may be null: plain. A TLS session must belong to the same descriptor; its handshake may still be to do.
  Stream(std::unique_ptr<Socket> socket, std::unique_ptr<TlsSession> tls, ErrorSource source);
  ~Stream();

  /// Does the TLS handshake; at once for a plain stream. Bounded by the read deadline.
  Task<Result<void>> handshake();

  /// Waits until a read would give something (bytes, the end or an error).
  Task<Result<void>> readable();
  /// Reads what is there, waiting for at least one byte; 0 is the peer's orderly end.
  Task<Result<std::size_t>> read(std::span<char> into);
  /// Writes all pieces, with one system call where the socket takes them.
  Task<Result<void>> write(std::span<const std::string_view> pieces);
  Task<Result<void>> write(std::string_view text);

  /// Both are stamps that later operations obey (and a waiting one too); `never` switches them off. Resolution about 50
  /// ms.
  void set_read_deadline(TimePoint deadline);
  void set_write_deadline(TimePoint deadline);
  /// A write fails with `timeout` once the peer has taken nothing for so long; zero: no such bound. Replaces the write
  /// deadline.
  void set_write_stall(Duration stall);

  /// While the owner is busy elsewhere: `on_readable` is called once, from the loop, when bytes or the end arrive.
  /// `hung_up` then tells which. `unwatch` takes it back. Must not be used while a read is waiting.
  void watch(std::function<void()> on_readable);
  void unwatch();
  /// Peeks without reading: true if the peer has ended or reset the connection.
  bool hung_up();

  /// Bytes, the end or an error are there that no `watch` would tell of, since they came before it.
  bool has_unread() const;

  /// Half-closes the sending side (TLS: close_notify first); best effort.
  void shutdown_send();
  /// Ends it; waiting operations fail with `cancelled`.
  void close();
  /// Ends it with a reset, so that the peer knows that what it got was not whole.
  void abort();

  bool is_open() const;
  bool is_tls() const { return tls_ != nullptr; }
  const TlsSession* tls() const { return tls_.get(); }
  /// The peer's address, without port ("203.0.113.7", "::1"); empty for a socket pair.
  std::string peer_address() const;

 private:
  bool has_something() const;
  Task<Result<void>> write_tls(std::span<const std::string_view> pieces);
  Error error_of(int error_number, std::string_view doing) const;

  std::unique_ptr<Socket> socket_;
  std::unique_ptr<TlsSession> tls_;
  ErrorSource source_;
  Task<Readiness> wait_to_write(Direction direction);

  Duration write_stall_{};
  bool drained_ = false;  ///< the last read took all there was: waiting first saves a system call
};

}  // namespace sluice::net
