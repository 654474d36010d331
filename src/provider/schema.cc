#include "provider/schema.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/schema_types.h"
#include "net/proxy_env.h"
#include "provider/mock/fault.h"
#include "provider/presets.h"

namespace sluice {

namespace {

using namespace schema;
using yaml::Node;

// Bounds that nobody needs to pass, and whose excess would be a slip of the pen.
constexpr std::uint64_t max_count = 1'000'000;

// --- credentials -----------------------------------------------------------------------------------------------------

// An optional key, `${NAME:-}`, that is not there.
bool left_out(const Node& node) {
  return node.kind == Node::Kind::scalar && node.fault.empty() && node.text.empty() && !node.fallback_for.empty();
}

void disable(ProviderConfig& provider, const Node& node) {
  if (provider.disabled.empty()) provider.disabled = fmt::format("{} is not set", node.fallback_for);
}

bool has_key_already(const ProviderConfig& provider, Reader& reader) {
  const bool has = provider.client_key || !provider.api_keys.empty() || !provider.disabled.empty();
  if (has) reader.problem("api_key and api_keys are both here; keep one of them");
  return has;
}

void read_api_key(const Node& node, ProviderConfig& provider, Reader& reader) {
  if (has_key_already(provider, reader)) return;
  if (left_out(node)) return disable(provider, node);
  if (node.kind == Node::Kind::scalar && node.text == "client") {
    provider.client_key = true;
  } else if (auto key = read_secret(node, reader)) {
    provider.api_keys.push_back(std::move(*key));
  }
}

void read_api_keys(const Node& node, ProviderConfig& provider, Reader& reader) {
  if (has_key_already(provider, reader)) return;
  if (node.kind != Node::Kind::sequence || node.items.empty())
    return reader.problem("must be a list of secrets, not empty");
  ProviderConfig missing;
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    reader.enter(fmt::format("[{}]", i), node.items[i], node.items[i].at, [&](const Node& item) {
      if (left_out(item)) return disable(missing, item);
      if (auto key = read_secret(item, reader)) provider.api_keys.push_back(std::move(*key));
    });
  }
  if (provider.api_keys.empty()) provider.disabled = missing.disabled;
}

Type<ProviderConfig> api_key() {
  const auto show = [](const ProviderConfig& provider) {
    if (provider.client_key) return json::value("client");
    return provider.api_keys.size() == 1 ? json::value(Secret::redacted) : json::value();
  };
  About about = secret().about;
  about.type = "secret, or `client`";
  return {std::move(about), read_api_key, show};
}

Type<ProviderConfig> api_keys() {
  const auto list = list_of(secret());
  const auto show = [list](const ProviderConfig& provider) {
    return provider.api_keys.size() > 1 ? list.show(provider.api_keys) : json::value();
  };
  return {list.about, read_api_keys, show};
}

// --- the rest of a provider ------------------------------------------------------------------------------------------

// Only what must not be in a base URL is looked for; whether the host exists is for the first call to find out.
std::string base_url_complaint(const std::string& url) {
  constexpr std::string_view remedy = "give a URL like https://api.example.com/v1";
  const std::size_t scheme = url.starts_with("https://") ? 8 : url.starts_with("http://") ? 7 : 0;
  const std::string host = url.substr(scheme, url.find('/', scheme) - scheme);
  if (scheme == 0 || host.empty() || host.front() == ':')
    return fmt::format("must begin with http:// or https:// and a host; {}", remedy);
  if (host.find('@') != std::string::npos) return "must not hold a user or password; use api_key or headers";
  if (url.find_first_of("?#") != std::string::npos) return fmt::format("must not have a query or fragment; {}", remedy);
  const bool printable = std::ranges::all_of(url, [](char c) { return c > ' ' && c < 0x7f; });
  return printable ? "" : fmt::format("has a space or a character that URLs cannot have; {}", remedy);
}

std::string header_complaint(std::string_view name) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  const auto token = [&](char c) { return std::isalnum(static_cast<unsigned char>(c)) || marks.find(c) != marks.npos; };
  return !name.empty() && std::ranges::all_of(name, token) ? "" : "is not a header's name";
}

std::string header_value_complaint(const HeaderToAdd& header) {
  const auto control = [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; };
  return std::ranges::any_of(header.value.reveal(), control)
             ? "holds a line end or another control character; remove it"
             : "";
}

std::string proxy_complaint(const Secret& proxy) {
  if (proxy.reveal() == "none") return "";
  const Result<net::Proxy> parsed = net::Proxy::parse(proxy.reveal());
  return parsed ? "" : fmt::format("{}; give a URL like http://proxy.example.com:3128, or none", parsed.error().text);
}

const Object<ProviderTimeouts>& timeouts_schema() {
  static const auto object =
      Object<ProviderTimeouts>("How long a provider may take.")
          .field("connect", &ProviderTimeouts::connect, duration(),
                 "For looking up the name, connecting and the TLS handshake together.")
          .field("first_token", &ProviderTimeouts::first_token, duration(Zero::off),
                 "From the end of the request to the first byte of the answer's body.")
          .field("between_tokens", &ProviderTimeouts::between_tokens, duration(Zero::off),
                 "The longest silence inside an answer.")
          .field("total", &ProviderTimeouts::total, duration(Zero::off), "For the whole exchange.")
          .field("idle", &ProviderTimeouts::idle, duration(), "An unused connection is kept open for so long.");
  return object;
}

const Object<net::ClientTlsOptions>& tls_schema() {
  static const auto object =
      Object<net::ClientTlsOptions>("TLS towards the provider, for https URLs.")
          .field("verify", &net::ClientTlsOptions::verify, boolean(),
                 "Whether the provider's certificate must be valid. Leave it on.")
          .field("ca_file", &net::ClientTlsOptions::ca_file, file(),
                 "Certificate authorities to trust (PEM) instead of the system's.")
          .field(
              "cert", [](auto& tls) -> auto& { return tls.client_certificate.chain_file; }, file(),
              "Our certificate (PEM), for providers that want one.")
          .field(
              "key", [](auto& tls) -> auto& { return tls.client_certificate.key_file; }, file(),
              "Its private key (PEM).")
          .finish([](net::ClientTlsOptions& tls, Reader& reader) {
            if (tls.client_certificate.chain_file.empty() != tls.client_certificate.key_file.empty()) {
              reader.problem("cert and key belong together; give both or none");
            }
          });
  return object;
}

std::string complaint_about_fault(const std::string& fault) {
  return mock::parse_fault(fault) ? "" : fmt::format("'{}' is no fault of the mock; docs/mock.md lists them", fault);
}

const Object<MockOptions>& mock_schema() {
  static const auto object =
      Object<MockOptions>("How the built-in model server behaves (type `mock`).")
          .field("seed", &MockOptions::seed, integer(0, UINT64_MAX), "Same seed and same question: same answer.")
          .field("first_token", &MockOptions::first_token, duration(Zero::off), "Pause before the first token.")
          .field("between_tokens", &MockOptions::between_tokens, duration(Zero::off), "Pause between two tokens.")
          .field("tokens", &MockOptions::tokens, integer(0, max_count),
                 "Length of each answer; 0: what comes naturally.")
          .field("models", &MockOptions::models, list_of(text()), "The models it lists; it answers to any name.")
          .field("fault_rate", &MockOptions::fault_rate, number(0, 1), "Share of requests that go wrong on purpose.")
          .field("faults", &MockOptions::faults, list_of(text().must(complaint_about_fault)),
                 "How, one of these for each: `reset-after=3`, `status=503` and so on, see docs/mock.md.");
  return object;
}

Type<ProviderConfig> mock_options() {
  Type<ProviderConfig> type = shorthand(&ProviderConfig::mock, mock_schema().type());
  type.show = [show = type.show](const ProviderConfig& provider) {
    return provider.is_mock() ? show(provider) : json::value();
  };
  return type;
}

Type<std::string> provider_type() {
  std::vector<std::string_view> names;
  for (const ProviderPreset& preset : provider_presets()) names.push_back(preset.type);
  const auto later = later_provider_types();
  return one_of(std::move(names), {later.begin(), later.end()});
}

void complete(ProviderConfig& provider, Reader& reader) {
  const ProviderPreset* const preset = find_preset(provider.type);
  if (preset == nullptr) return;
  const bool preset_url = provider.base_url.empty();
  if (provider.is_mock()) {
    if (!preset_url) reader.problem("type mock answers by itself; remove base_url, or use type openai");
    return;
  }
  if (preset_url) provider.base_url = preset->base_url;
  while (provider.base_url.ends_with('/')) provider.base_url.pop_back();
  const bool has_key =
      provider.client_key || !provider.api_keys.empty() || !provider.headers.empty() || !provider.disabled.empty();
  if (preset_url && !has_key) {
    reader.problem(fmt::format(
        "has no api_key; add api_key: \"${{{}}}\", or api_key: client to pass the client's own on", preset->key_env));
  }
}

}  // namespace

std::string label_complaint(std::string_view name) {
  const auto allowed = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
  };
  const bool good = !name.empty() && name.size() <= 64 && std::ranges::all_of(name, allowed);
  return good ? "" : "a name here has 1 to 64 letters, digits, dots, dashes and underscores; rename it";
}

const Object<ProviderConfig>& provider_schema() {
  using Config = ProviderConfig;
  static const auto object =
      Object<Config>("Who answers. The name is yours; it is the first part of `provider/model`.")
          .field("type", &Config::type, provider_type(),
                 "The service, or `openai` for any server that speaks OpenAI's protocol.", Presence::required)
          .field("base_url", &Config::base_url, text().must(base_url_complaint),
                 "Where its API begins, with the version: `http://127.0.0.1:8000/v1`. Default: the service's own.")
          .field("api_key", whole, api_key(),
                 "Its key. `client` passes the client's own credential on. If written as `\"${NAME:-}\"`, the provider "
                 "is left out while NAME is not set.")
          .field("api_keys", whole, api_keys(), "Several keys, used in turn.")
          .field("headers", &Config::headers,
                 map_of("header", &HeaderToAdd::name,
                        shorthand(&HeaderToAdd::value, secret()).must(header_value_complaint), header_complaint),
                 "Header fields that every request to it gets.")
          .field("timeouts", &Config::timeouts, timeouts_schema().type(), "How long it may take.")
          .field("tls", &Config::tls, tls_schema().type(), "TLS towards it.")
          .field("proxy", &Config::proxy, secret().must(proxy_complaint),
                 "URL of an HTTP proxy, or `none`. Default: `HTTPS_PROXY` and `NO_PROXY` of the environment.")
          .field("max_connections", &Config::max_connections, integer(0, max_count),
                 "Open connections to it per worker; 0: no bound.")
          .field("max_idle_connections", &Config::max_idle_connections, integer(0, max_count),
                 "Unused connections kept open per worker.")
          .field("mock", whole, mock_options(), "For type `mock`: how it behaves.")
          .finish(complete);
  return object;
}

}  // namespace sluice
