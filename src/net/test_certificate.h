#pragma once

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include "net/tls.h"

/// For tests only: certificates made on the spot, so that none in the repository can expire.
namespace sluice::net::test {

/// A folder that goes away with its owner.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sluice-test-XXXXXX").string();
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    path_ = pattern;
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

/// A private certificate authority whose files live as long as it does.
class Authority {
 public:
  struct Wish {
    std::string names = "DNS:localhost,IP:127.0.0.1,IP:::1";  ///< subject alternative names as OpenSSL writes them
    long from_seconds = -3600;                                ///< validity, from now
    long to_seconds = 3600;
  };

  explicit Authority(const std::string& name = "Test Authority") : name_(name), key_(EVP_EC_gen("P-256")) {
    certificate_ = make(key_, name, {.names = ""}, "critical,CA:TRUE");
    write_certificate(ca_file());
  }
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;
  ~Authority() {
    X509_free(certificate_);
    EVP_PKEY_free(key_);
  }

  /// PEM of the authority itself, for ClientTlsOptions::ca_file.
  std::string ca_file() const { return folder_.file("ca.pem"); }
  /// A path in the folder of this authority, for other files of a test.
  std::string file(const std::string& name) const { return folder_.file(name); }

  Certificate issue(const Wish& wish) {
    const std::string stem = std::to_string(++issued_);
    Certificate result{folder_.file(stem + ".pem"), folder_.file(stem + ".key")};
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    X509* const certificate = make(key, "leaf " + stem, wish, "CA:FALSE");
    write(result.chain_file, [&](FILE* file) { PEM_write_X509(file, certificate); });
    write(result.key_file, [&](FILE* file) { PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr); });
    X509_free(certificate);
    EVP_PKEY_free(key);
    return result;
  }
  Certificate issue() { return issue(Wish{}); }
  Certificate issue_for(const std::string& names) { return issue(Wish{.names = names}); }

 private:
  template <class Writer>
  static void write(const std::string& path, Writer&& writer) {
    FILE* const file = std::fopen(path.c_str(), "w");
    ASSERT_NE(file, nullptr) << path;
    writer(file);
    std::fclose(file);
  }
  void write_certificate(const std::string& path) const {
    write(path, [this](FILE* file) { PEM_write_X509(file, certificate_); });
  }

  static void set_name(X509_NAME* name, const std::string& text) {
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1,
                               0);
  }
  static void extend(X509* certificate, int what, const std::string& value) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, what, value.c_str());
    ASSERT_NE(extension, nullptr) << value;
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }

  X509* make(EVP_PKEY* key, const std::string& name, const Wish& wish, const std::string& constraints) {
    X509* const certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(certificate), wish.from_seconds);
    X509_gmtime_adj(X509_getm_notAfter(certificate), wish.to_seconds);
    X509_set_pubkey(certificate, key);
    set_name(X509_get_subject_name(certificate), name);
    set_name(X509_get_issuer_name(certificate), name_);
    extend(certificate, NID_basic_constraints, constraints);
    if (!wish.names.empty()) extend(certificate, NID_subject_alt_name, wish.names);
    X509_sign(certificate, key_, EVP_sha256());
    return certificate;
  }

  ScratchFolder folder_;
  std::string name_;
  EVP_PKEY* key_;
  X509* certificate_ = nullptr;
  long serial_ = 0;
  int issued_ = 0;
};

}  // namespace sluice::net::test
