#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

struct ssl_ctx_st;
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
  std::vector<Certificate> certificates;  ///< the first is the default; others are chosen by SNI (subject alternative names, wildcards)
  std::vector<std::string> alpn{"http/1.1"};
};

struct ClientTlsOptions {
  bool verify = true;
  std::string ca_file;               ///< empty: the system store
  Certificate client_certificate;    ///< empty: none
  std::vector<std::string> alpn{"http/1.1"};
};

/// Immutable and shared by connections of all workers. TLS 1.2 and 1.3 only, session resumption on (tickets; for clients a small
/// session store by host), SSL_MODE_RELEASE_BUFFERS so that idle connections own no buffers.
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
  static std::unique_ptr<TlsSession> connect(std::shared_ptr<TlsContext> context, int descriptor, std::string host);
  ~TlsSession();

  IoStep handshake();
  IoStep read(std::span<char> into);
  IoStep write(std::string_view bytes);
  /// Sends close_notify, best effort.
  void shutdown();
  /// Decrypted bytes are waiting inside: the descriptor will not signal them.
  bool pending() const;
  bool resumed() const;
  std::string_view alpn() const;         ///< negotiated protocol, or empty
  std::string_view server_name() const;  ///< SNI asked for (server side), or empty

 private:
  TlsSession(std::shared_ptr<TlsContext> context, ssl_st* ssl);
  IoStep step(int result, std::string_view doing);
  std::shared_ptr<TlsContext> context_;
  ssl_st* ssl_;
};

}  // namespace sluice::net
