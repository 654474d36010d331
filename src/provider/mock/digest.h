#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>

namespace sluice::mock {

/// SHA-256 of bytes that come piece by piece.
class Digest {
 public:
  Digest();
  void feed(std::string_view bytes);
  /// In hexadecimal. REQUIRES: called once, at the end.
  std::string finish();

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

std::string sha256(std::string_view bytes);

}  // namespace sluice::mock
