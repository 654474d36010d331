#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "base/text.h"
#include "net/tls_impl.h"

namespace sluice::net {
namespace {

/// A key file with a passphrase must be an error, not a question on the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

tl::unexpected<Error> bad_config(std::string text) {
  return fail(ErrorKind::config, ErrorSource::gateway, std::move(text));
}

std::string alpn_wire_form(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const std::string& protocol : protocols) {
    wire += static_cast<char>(protocol.size());
    wire += protocol;
  }
  return wire;
}

Result<SslContext> make_context(const SSL_METHOD* method) {
  ERR_clear_error();
  SslContext context(SSL_CTX_new(method));
  if (!context) {
    return fail(ErrorKind::internal, ErrorSource::gateway, fmt::format("no TLS context: {}", take_openssl_error()));
  }
  SSL_CTX* const raw = context.get();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(raw, 1);  // one system call a record instead of two
  SSL_CTX_set_default_passwd_cb(raw, no_passphrase);
  return context;
}

Result<void> use_certificate(SSL_CTX* context, const Certificate& certificate) {
  if (SSL_CTX_use_certificate_chain_file(context, certificate.chain_file.c_str()) != 1) {
    return bad_config(
        fmt::format("certificate file {} holds no usable PEM chain: {}", certificate.chain_file, take_openssl_error()));
  }
  if (SSL_CTX_use_PrivateKey_file(context, certificate.key_file.c_str(), SSL_FILETYPE_PEM) == 1) return {};
  if (ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_VALUES_MISMATCH) {
    ERR_clear_error();
    return bad_config(
        fmt::format("key file {} does not belong to certificate {}", certificate.key_file, certificate.chain_file));
  }
  return bad_config(fmt::format("key file {} holds no usable PEM private key without a passphrase: {}",
                                certificate.key_file, take_openssl_error()));
}

Result<SslContext> make_server_context(const Certificate& certificate, TlsContext::Impl& impl) {
  Result<SslContext> context = make_context(TLS_server_method());
  if (!context) return context;
  SSL_CTX* const raw = context->get();
  if (Result<void> used = use_certificate(raw, certificate); !used) return forward(used);
  SSL_CTX_set_options(raw, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  // Tickets only: they need no memory here and work on every worker.
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  static constexpr unsigned char id[] = "sluice";
  SSL_CTX_set_session_id_context(raw, id, sizeof id - 1);
  SSL_CTX_set_tlsext_servername_callback(raw, TlsCallbacks::choose_certificate);
  SSL_CTX_set_tlsext_servername_arg(raw, &impl);
  if (!impl.alpn.empty()) SSL_CTX_set_alpn_select_cb(raw, TlsCallbacks::choose_protocol, &impl);
  return context;
}

void enter_names(TlsContext::Impl& impl, SSL_CTX* context) {
  for (const std::string& name : names_of(SSL_CTX_get0_certificate(context))) {
    const std::string lower = text::to_lower(name);
    if (lower.starts_with("*.")) {
      impl.wildcards.try_emplace(lower.substr(2), context);
    } else {
      impl.names.try_emplace(lower, context);
    }
  }
}

/// Whether a folder is prepared for look-ups by hash: files are then read when their authority is asked for, where a
/// bundle of all costs ten milliseconds and megabytes at start.
bool is_hashed_folder(const std::filesystem::path& folder) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    const auto hex_digits = std::count_if(name.begin(), name.end(), [](unsigned char c) { return std::isxdigit(c); });
    if (name.size() == 10 && name[8] == '.' && hex_digits == 9) return true;
  }
  return false;
}

const char* bundle_of_system() {
  for (const char* file : {X509_get_default_cert_file(), "/etc/ssl/certs/ca-certificates.crt",
                           "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"}) {
    if (std::filesystem::exists(file)) return file;
  }
  return nullptr;
}

X509_STORE* load_system_store() {
  X509_STORE* const store = X509_STORE_new();
  const bool by_environment =
      std::getenv(X509_get_default_cert_file_env()) || std::getenv(X509_get_default_cert_dir_env());
  if (by_environment) {
    X509_STORE_set_default_paths(store);
  } else if (is_hashed_folder(X509_get_default_cert_dir())) {
    X509_STORE_load_path(store, X509_get_default_cert_dir());
  } else if (const char* bundle = bundle_of_system()) {
    X509_STORE_load_file(store, bundle);
  }
  ERR_clear_error();
  return store;
}

Result<void> trust(SSL_CTX* context, const ClientTlsOptions& options) {
  if (!options.verify) return {};
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, TlsCallbacks::note_verify_failure);
  if (!options.ca_file.empty() && SSL_CTX_load_verify_file(context, options.ca_file.c_str()) != 1) {
    return bad_config(
        fmt::format("CA file {} holds no usable PEM certificate: {}", options.ca_file, take_openssl_error()));
  }
  return {};
}

}  // namespace

X509_STORE* system_store() {
  static X509_STORE* const store = load_system_store();
  return store;
}

std::string take_openssl_error() {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  if (ERR_SYSTEM_ERROR(error)) return std::strerror(ERR_GET_REASON(error));
  const char* const reason = ERR_reason_error_string(error);
  return reason ? reason : "unknown reason";
}

std::vector<std::string> names_of(X509* certificate) {
  std::vector<std::string> names;
  const auto take = [&names](const ASN1_STRING* text) {
    names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), ASN1_STRING_length(text));
  };
  const Handle<GENERAL_NAMES, GENERAL_NAMES_free> alternatives(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(alternatives.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(alternatives.get(), i);
    if (name->type == GEN_DNS) take(name->d.dNSName);
  }
  if (alternatives) return names;
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  const int common_name = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (common_name >= 0) take(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, common_name)));
  return names;
}

void SessionStore::keep(const std::string& peer, SslSession session) {
  const std::lock_guard lock(mutex_);
  if (sessions_.size() >= most && !sessions_.contains(peer)) sessions_.erase(sessions_.begin());
  sessions_[peer] = std::move(session);
}

SslSession SessionStore::find(const std::string& peer) {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(peer);
  if (found == sessions_.end()) return nullptr;
  SSL_SESSION* const session = found->second.get();
  const bool too_old = SSL_SESSION_get_time(session) + SSL_SESSION_get_timeout(session) <= std::time(nullptr);
  if (!too_old) return SslSession(SSL_SESSION_dup(session));
  sessions_.erase(found);
  return nullptr;
}

SSL_CTX* TlsContext::Impl::find(std::string_view name) const {
  if (name.ends_with('.')) name.remove_suffix(1);
  const std::string lower = text::to_lower(name);
  if (const auto found = names.find(lower); found != names.end()) return found->second;
  const std::size_t dot = lower.find('.');
  if (dot == std::string::npos) return nullptr;
  const auto found = wildcards.find(lower.substr(dot + 1));
  return found == wildcards.end() ? nullptr : found->second;
}

int TlsCallbacks::choose_certificate(SSL* ssl, int*, void* impl) {
  const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  SSL_CTX* const context = name ? static_cast<TlsContext::Impl*>(impl)->find(name) : nullptr;
  if (!context) return SSL_TLSEXT_ERR_NOACK;
  SSL_set_SSL_CTX(ssl, context);
  return SSL_TLSEXT_ERR_OK;
}

int TlsCallbacks::choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                                  unsigned in_size, void* impl) {
  const std::string& ours = static_cast<TlsContext::Impl*>(impl)->alpn;
  unsigned char* chosen = nullptr;
  const int outcome = SSL_select_next_proto(&chosen, out_size, reinterpret_cast<const unsigned char*>(ours.data()),
                                            static_cast<unsigned>(ours.size()), in, in_size);
  *out = chosen;
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

TlsContext::TlsContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsContext::~TlsContext() = default;

Result<std::shared_ptr<TlsContext>> TlsContext::server(const ServerTlsOptions& options) {
  if (options.certificates.empty()) return bad_config("a TLS listener needs a certificate");
  auto impl = std::make_unique<Impl>();
  impl->alpn = alpn_wire_form(options.alpn);
  for (const Certificate& certificate : options.certificates) {
    Result<SslContext> context = make_server_context(certificate, *impl);
    if (!context) return forward(context);
    enter_names(*impl, context->get());
    impl->contexts.push_back(std::move(*context));
  }
  return std::shared_ptr<TlsContext>(new TlsContext(std::move(impl)));
}

Result<std::shared_ptr<TlsContext>> TlsContext::client(const ClientTlsOptions& options) {
  Result<SslContext> context = make_context(TLS_client_method());
  if (!context) return forward(context);
  SSL_CTX* const raw = context->get();
  if (Result<void> trusted = trust(raw, options); !trusted) return forward(trusted);
  if (!options.client_certificate.chain_file.empty()) {
    if (Result<void> used = use_certificate(raw, options.client_certificate); !used) return forward(used);
  }
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(raw, TlsCallbacks::keep_session);
  auto impl = std::make_unique<Impl>();
  impl->system_store = options.verify && options.ca_file.empty();
  impl->alpn = alpn_wire_form(options.alpn);
  SSL_CTX_set_alpn_protos(raw, reinterpret_cast<const unsigned char*>(impl->alpn.data()),
                          static_cast<unsigned>(impl->alpn.size()));
  impl->contexts.push_back(std::move(*context));
  return std::shared_ptr<TlsContext>(new TlsContext(std::move(impl)));
}

}  // namespace sluice::net
