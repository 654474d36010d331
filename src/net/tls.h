#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

struct ssl_st;

namespace sluice::net {

/// The outcome of one non-blocking step.
struct IoStep {
  enum class Status : std::uint8_t { done, want_read, want_write, end, failed };
  Status status = Status::done;
  std::size_t bytes = 0;  ///< with done
  std::string reason;     ///< with failed: for people, without secrets
};

struct Certificate {
  std::string chain_file;  ///< PEM, leaf first
  std::string key_file;    ///< PEM
};

struct ServerTlsOptions {
  /// The first is the default; others are chosen by SNI (subject alternative names, wildcards).
  std::vector<Certificate> certificates;
  std::vector<std::string> alpn{"http/1.1"};
};

struct ClientTlsOptions {
  bool verify = true;
  std::string ca_file;             ///< empty: the system store
  Certificate client_certificate;  ///< empty: none
  std::vector<std::string> alpn{"http/1.1"};
};

/// Immutable and shared by connections of all workers. TLS 1.2 and 1.3 only, session resumption on (tickets; for
/// clients a small session store by host), SSL_MODE_RELEASE_BUFFERS so that idle connections own no buffers.
class TlsContext {
 public:
  /// Fails with ErrorKind::config and a text naming the file and what is wrong with it.
  static Result<std::shared_ptr<TlsContext>> server(const ServerTlsOptions& options);
  static Result<std::shared_ptr<TlsContext>> client(const ClientTlsOptions& options);
  ~TlsContext();
  struct Impl;
  Impl& impl() const { return *impl_; }

 private:
  explicit TlsContext(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// One connection's TLS over a non-blocking descriptor that someone else owns and polls. Not thread-safe.
class TlsSession {
 public:
  static std::unique_ptr<TlsSession> accept(std::shared_ptr<TlsContext> context, int descriptor);
  /// `host` is verified against the certificate and sent as SNI (an IP literal is verified but not sent).
  /// Sessions are kept for resumption under `host` and `port`.
  static std::unique_ptr<TlsSession> connect(std::shared_ptr<TlsContext> context, int descriptor, std::string host,
                                             std::uint16_t port = 0);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  IoStep handshake();
  /// `end` only after the peer's close_notify: a connection that just ends may have been cut, and is `failed`.
  IoStep read(std::span<char> into);
  /// May take a part only. After want_read or want_write the same bytes must be offered again (they may have moved).
  IoStep write(std::string_view bytes);
  /// Sends close_notify, best effort.
  void shutdown();
  /// Decrypted bytes are waiting inside: the descriptor will not signal them.
  bool pending() const;
  bool resumed() const;
  std::string_view alpn() const;         ///< negotiated protocol, or empty
  std::string_view server_name() const;  ///< SNI asked for (server side), or empty

 private:
  friend struct TlsCallbacks;
  TlsSession(std::shared_ptr<TlsContext> context, int descriptor);
  IoStep step(int result);
  std::string failure();

  std::shared_ptr<TlsContext> context_;
  ssl_st* ssl_;
  bool established_ = false;    ///< the handshake is done
  std::string peer_;            ///< client side: "host:port", the name its sessions are kept under
  std::string verify_failure_;  ///< why the peer's certificate was refused
};

}  // namespace sluice::net
