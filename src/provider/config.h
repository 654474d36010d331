#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"
#include "net/tls.h"

namespace sluice {

/// A header field that every request to a provider gets, replacing the client's. Values may be credentials.
struct HeaderToAdd {
  std::string name;
  Secret value;
};

/// Zero: no deadline.
struct ProviderTimeouts {
  Duration connect = std::chrono::seconds(5);          ///< name look-up, TCP and TLS together
  Duration first_token = std::chrono::seconds(120);    ///< from the request's last byte to the answer's first body byte
  Duration between_tokens = std::chrono::seconds(60);  ///< between two reads of the answer's body
  Duration total{};                                    ///< the whole exchange
  Duration idle = std::chrono::seconds(60);            ///< an unused pooled connection is closed after this
};

/// How the built-in model server behaves (type `mock`).
struct MockOptions {
  std::uint64_t seed = 1;                                       ///< same seed, same question: same answer
  Duration first_token{};                                       ///< before the first token
  Duration between_tokens{};                                    ///< between two tokens
  std::vector<std::string> models{"demo-small", "demo-large"};  ///< what /v1/models lists; any name is answered
  std::uint64_t tokens = 0;                                     ///< length of each answer; 0: what comes naturally
  double fault_rate = 0;                                        ///< share of requests that go wrong, 0 to 1
  std::vector<std::string> faults;                              ///< how, as `x-mock-fault` spells it; one is chosen
};

/// One provider as configured and completed from its type's preset. Immutable once loaded.
struct ProviderConfig {
  std::string name;              ///< the user's: [A-Za-z0-9._-]+
  std::string type;              ///< "openai", "mock" or a preset of provider/presets.h
  std::string base_url;          ///< absolute, http or https, without a trailing slash; empty only for mock
  std::vector<Secret> api_keys;  ///< used in turn; empty: no credential is sent
  bool client_key = false;       ///< `api_key: client`: the client's own credential is forwarded
  std::vector<HeaderToAdd> headers;
  ProviderTimeouts timeouts;
  net::ClientTlsOptions tls;
  Secret
      proxy;  ///< URL of an HTTP proxy (may hold a password); empty: HTTPS_PROXY and NO_PROXY decide; "none": never one
  std::size_t max_connections = 0;        ///< open connections of one worker; 0: no bound
  std::size_t max_idle_connections = 64;  ///< pooled, unused connections of one worker
  MockOptions mock;
  /// Only while loading: why it is left out of the configuration.
  std::string disabled;

  bool is_mock() const { return type == "mock"; }
};

/// One thing a model name can mean.
struct ModelTarget {
  std::string provider;  ///< a configured provider's name
  std::string model;     ///< the provider's own name of the model
  std::uint32_t weight = 1;
};

/// A model name that clients may use, beside provider/model, which always works.
struct ModelConfig {
  std::string name;
  std::vector<ModelTarget> targets;  ///< never empty
};

/// US dollars per million tokens. The pattern may hold `*`.
struct PriceConfig {
  std::string model;  ///< matched against the upstream's model name, or against provider/model if it holds a slash
  std::optional<double> input;
  std::optional<double> output;
  std::optional<double> cached_input;  ///< nothing: cached tokens cost as `input`
};

}  // namespace sluice
