#include "net/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "net/address.h"
#include "net/tls_impl.h"

namespace sluice::net {
namespace {

constexpr std::size_t most_shown = 200;  // of a text that the peer chose

/// A text out of the peer's certificate, fit for a log line.
std::string shown(std::string_view text) {
  std::string result(text.substr(0, most_shown));
  for (char& c : result) {
    if (c < ' ' || c > '~') c = '?';
  }
  return result;
}

std::string names_shown(X509* certificate) {
  std::string all;
  for (const std::string& name : names_of(certificate)) {
    all += (all.empty() ? "" : ", ") + name;
    if (all.size() > most_shown) break;
  }
  return all.empty() ? "no DNS name" : shown(all);
}

std::string date_shown(const ASN1_TIME* time) {
  std::tm parts{};
  char text[32] = "";
  if (ASN1_TIME_to_tm(time, &parts) == 1) std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts);
  return text;
}

std::string issuer_shown(X509* certificate) {
  char name[most_shown] = "";
  X509_NAME_get_text_by_NID(X509_get_issuer_name(certificate), NID_commonName, name, sizeof name);
  return shown(name);
}

std::string explain(int error, X509* certificate) {
  const char* const text = X509_verify_cert_error_string(error);
  if (!certificate) return text;
  switch (error) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return fmt::format("{}: the certificate is for {}", text, names_shown(certificate));
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return fmt::format("{} on {}", text, date_shown(X509_get0_notAfter(certificate)));
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return fmt::format("{} before {}", text, date_shown(X509_get0_notBefore(certificate)));
    default:
      return fmt::format("{} (issued by \"{}\")", text, issuer_shown(certificate));
  }
}

/// Brackets of an IPv6 literal and the dot of an absolute name belong to the writing, not to the name.
std::string plain_name(std::string host) {
  if (host.starts_with('[') && host.ends_with(']')) return host.substr(1, host.size() - 2);
  if (host.ends_with('.')) host.pop_back();
  return host;
}

void expect_peer(SSL* ssl, const std::string& host) {
  if (Address::from_literal(host, 0)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str());
    return;
  }
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  SSL_set1_host(ssl, host.c_str());
  SSL_set_tlsext_host_name(ssl, host.c_str());
}

bool is_peers_alert(unsigned long error) {
  return ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) > SSL_AD_REASON_OFFSET;
}

/// "tlsv13 alert certificate required" -> "certificate required"
std::string_view without_version(std::string_view alert) {
  constexpr std::string_view mark = " alert ";
  const std::size_t at = alert.find(mark);
  return at == std::string_view::npos ? alert : alert.substr(at + mark.size());
}

}  // namespace

int TlsCallbacks::keep_session(SSL* ssl, SSL_SESSION* session) {
  auto* const self = static_cast<TlsSession*>(SSL_get_app_data(ssl));
  // A copy, since the connection goes on using the original on its own thread.
  if (SSL_SESSION_is_resumable(session) == 1) {
    self->context_->impl().sessions.keep(self->peer_, SslSession(SSL_SESSION_dup(session)));
  }
  return 0;
}

int TlsCallbacks::note_verify_failure(int valid, X509_STORE_CTX* store) {
  if (valid == 1) return valid;
  auto* const ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* const self = static_cast<TlsSession*>(SSL_get_app_data(ssl));
  self->verify_failure_ = explain(X509_STORE_CTX_get_error(store), X509_STORE_CTX_get_current_cert(store));
  return valid;
}

TlsSession::TlsSession(std::shared_ptr<TlsContext> context, int descriptor)
    : context_(std::move(context)), ssl_(SSL_new(context_->impl().first())) {
  if (!ssl_) throw std::bad_alloc();
  SSL_set_app_data(ssl_, this);
  SSL_set_fd(ssl_, descriptor);
}

TlsSession::~TlsSession() {
  // Without this OpenSSL takes the end of a connection for a failure and makes its session unusable for resumption.
  SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(ssl_);
}

std::unique_ptr<TlsSession> TlsSession::accept(std::shared_ptr<TlsContext> context, int descriptor) {
  std::unique_ptr<TlsSession> session(new TlsSession(std::move(context), descriptor));
  SSL_set_accept_state(session->ssl_);
  return session;
}

std::unique_ptr<TlsSession> TlsSession::connect(std::shared_ptr<TlsContext> context, int descriptor, std::string host,
                                                std::uint16_t port) {
  std::unique_ptr<TlsSession> session(new TlsSession(std::move(context), descriptor));
  SSL* const ssl = session->ssl_;
  SSL_set_connect_state(ssl);
  host = plain_name(std::move(host));
  expect_peer(ssl, host);
  if (session->context_->impl().system_store) SSL_set1_verify_cert_store(ssl, system_store());
  session->peer_ = join_host_port(host, port);
  if (const SslSession known = session->context_->impl().sessions.find(session->peer_)) {
    SSL_set_session(ssl, known.get());
  }
  return session;
}

IoStep TlsSession::handshake() {
  ERR_clear_error();
  errno = 0;
  IoStep result = step(SSL_do_handshake(ssl_));
  established_ = result.status == IoStep::Status::done;
  return result;
}

IoStep TlsSession::read(std::span<char> into) {
  ERR_clear_error();
  errno = 0;
  std::size_t got = 0;
  IoStep result = step(SSL_read_ex(ssl_, into.data(), into.size(), &got));
  result.bytes = got;
  return result;
}

IoStep TlsSession::write(std::string_view bytes) {
  if (bytes.empty()) return {};
  ERR_clear_error();
  errno = 0;
  std::size_t written = 0;
  IoStep result = step(SSL_write_ex(ssl_, bytes.data(), bytes.size(), &written));
  result.bytes = written;
  return result;
}

IoStep TlsSession::step(int result) {
  if (result == 1) return {};
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      return {IoStep::Status::want_read};
    case SSL_ERROR_WANT_WRITE:
      return {IoStep::Status::want_write};
    case SSL_ERROR_ZERO_RETURN:
      return {IoStep::Status::end};
    default:
      return {IoStep::Status::failed, 0, failure()};
  }
}

std::string TlsSession::failure() {
  const int system_error = errno;
  const unsigned long error = ERR_peek_error();
  const bool cut =
      error == 0 ? system_error == 0
                 : ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
  std::string reason = take_openssl_error();
  if (cut) return established_ ? "ended without close_notify" : "the peer closed the connection";
  if (error == 0) return std::strerror(system_error);
  if (!verify_failure_.empty()) return std::exchange(verify_failure_, {});
  if (is_peers_alert(error)) return fmt::format("refused by the peer: {}", without_version(reason));
  if (ERR_GET_REASON(error) == SSL_R_WRONG_VERSION_NUMBER) return "the peer does not speak TLS";
  return reason;
}

void TlsSession::shutdown() {
  if (SSL_in_init(ssl_) != 0) return;
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

bool TlsSession::pending() const { return SSL_has_pending(ssl_) == 1; }

bool TlsSession::resumed() const { return SSL_session_reused(ssl_) == 1; }

std::string_view TlsSession::alpn() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string_view TlsSession::server_name() const {
  const char* const name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
  return name ? name : std::string_view();
}

}  // namespace sluice::net
