#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "net/tls.h"

namespace sluice::net {

template <auto release>
struct ReleaseWith {
  template <class T>
  void operator()(T* thing) const {
    release(thing);
  }
};
template <class T, auto release>
using Handle = std::unique_ptr<T, ReleaseWith<release>>;

using SslContext = Handle<SSL_CTX, SSL_CTX_free>;
using SslSession = Handle<SSL_SESSION, SSL_SESSION_free>;

/// The newest resumable session of each server, for all workers. Bounded: beyond that some entry gives way.
class SessionStore {
 public:
  void keep(const std::string& peer, SslSession session);
  /// A copy of its own for one connection, or null: OpenSSL's sessions are not made for use by several threads.
  SslSession find(const std::string& peer);

 private:
  static constexpr std::size_t most = 256;
  std::mutex mutex_;
  std::unordered_map<std::string, SslSession> sessions_;
};

struct TlsContext::Impl {
  std::vector<SslContext> contexts;                     ///< server: one a certificate; client: one
  std::unordered_map<std::string, SSL_CTX*> names;      ///< server: lower case, whole names
  std::unordered_map<std::string, SSL_CTX*> wildcards;  ///< server: "example.com" for *.example.com
  std::string alpn;                                     ///< in wire form
  SessionStore sessions;                                ///< client
  bool system_store = false;                            ///< client: trusts what the system trusts

  SSL_CTX* first() const { return contexts.front().get(); }
  /// Server: the certificate for a name asked for by SNI, or null.
  SSL_CTX* find(std::string_view name) const;
};

/// What OpenSSL calls back, with access to the session.
struct TlsCallbacks {
  static int choose_certificate(SSL* ssl, int* alert, void* impl);
  static int choose_protocol(SSL* ssl, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                             unsigned in_size, void* impl);
  static int keep_session(SSL* ssl, SSL_SESSION* session);
  static int note_verify_failure(int valid, X509_STORE_CTX* store);
};

/// The system's authorities, one store for all contexts: what was read once serves every provider. Read at the first
/// connection that needs it, since a bundle may take tens of milliseconds.
X509_STORE* system_store();

/// The DNS names a certificate is valid for: its subject alternative names, or without any its common name.
std::vector<std::string> names_of(X509* certificate);

/// The oldest error in OpenSSL's queue for people, and empties the queue.
std::string take_openssl_error();

}  // namespace sluice::net
