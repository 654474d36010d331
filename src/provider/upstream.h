#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/task.h"
#include "http/message.h"
#include "provider/call.h"
#include "provider/config.h"

namespace sluice::http {
class Client;
}

namespace sluice {

/// The way to one provider's answers. Shared by all workers and immutable but for counters.
class Upstream {
 public:
  virtual ~Upstream() = default;
  /// Sends one call and gives the answer once its head is known; the body is pulled. `call` and `client` outlive the
  /// answer's body.
  virtual Task<Result<http::Response>> send(UpstreamCall& call, http::Client& client) = 0;
  /// Names the connections it needs, so that a reload keeps those and closes the others; empty: none.
  virtual std::string_view identity() const { return {}; }
};

/// A configured provider, ready to be asked.
class Provider {
 public:
  Provider(ProviderConfig config, std::unique_ptr<Upstream> upstream)
      : config_(std::move(config)), upstream_(std::move(upstream)) {}

  const ProviderConfig& config() const { return config_; }
  Upstream& upstream() const { return *upstream_; }
  /// The keys in turn; empty when there are none.
  std::string_view next_key() const;

 private:
  ProviderConfig config_;
  std::unique_ptr<Upstream> upstream_;
  mutable std::atomic<std::size_t> turn_{0};
};

/// All providers of one configuration.
class Providers {
 public:
  /// Fails with ErrorKind::config naming the provider and what is wrong (an unreadable CA file, ...).
  static Result<std::unique_ptr<Providers>> build(const std::vector<ProviderConfig>& configs);

  /// Null if there is none.
  const Provider* find(std::string_view name) const;
  const std::map<std::string, std::unique_ptr<Provider>, std::less<>>& all() const { return providers_; }
  std::vector<std::string> identities() const;

 private:
  std::map<std::string, std::unique_ptr<Provider>, std::less<>> providers_;
};

}  // namespace sluice
