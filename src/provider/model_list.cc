#include "provider/model_list.h"

#include <fmt/format.h>

#include <list>

#include "http/url.h"
#include "net/running.h"
#include "pipeline/refuse.h"

namespace sluice {
namespace {

constexpr std::string_view list_path = "/v1/models";
constexpr std::uint64_t largest_list = 4 << 20;
constexpr Duration patience = std::chrono::seconds(3);
constexpr Duration kept_for = std::chrono::minutes(1);
constexpr Duration failure_kept_for = std::chrono::seconds(5);

Reply json_reply(std::string text) { return http::make_response(200, "application/json", std::move(text)); }

/// A client that brings its own key gets its own list, which must not be shown to others.
bool shared(const Provider& provider) { return !provider.config().client_key; }

Task<Result<std::string>> fetch(const Provider& provider, const Exchange& exchange) {
  UpstreamCall call;
  call.method = "GET";
  call.target = "/models";
  const http::RequestHead plain;
  call.fields =
      upstream_fields(plain, provider.config(), provider.next_key(), exchange.record.id, exchange.traceparent, true);
  Result<http::Response> response = co_await provider.upstream().send(call, *exchange.upstreams);
  if (!response) co_return forward(response);
  if (response->status != 200) {
    co_return fail(ErrorKind::protocol, ErrorSource::upstream,
                   fmt::format("the model list has status {}", response->status));
  }
  co_return co_await http::read_all(response->body.get(), largest_list);
}

}  // namespace

bool ModelList::asks_for_it(const http::RequestHead& head) {
  const std::string_view path = head.path();
  if ((head.method != "GET" && head.method != "HEAD") || !path.starts_with(list_path)) return false;
  const bool one = path.size() > list_path.size() + 1 && path[list_path.size()] == '/';
  return (one || path.size() == list_path.size()) && !head.fields.has("x-sluice-provider");
}

Task<Reply> ModelList::answer(Exchange& exchange) {
  const Entries entries = co_await all(exchange);
  const std::string_view path = exchange.request.head.path();
  if (path.size() == list_path.size()) co_return json_reply(llm::openai::render_model_list(entries));
  const std::string id = http::percent_decode(path.substr(list_path.size() + 1)).value_or("");
  for (const llm::openai::ModelEntry& entry : entries) {
    if (entry.id == id) co_return json_reply(llm::openai::render_model(entry));
  }
  const Error error{ErrorKind::model_not_found, ErrorSource::client, Retryable::no,
                    fmt::format("There is no model '{}'; GET /v1/models lists those there are.", id)};
  co_return refuse(exchange, error);
}

Task<ModelList::Entries> ModelList::all(Exchange& exchange) {
  std::list<net::Running<void>> asking;
  for (const Provider* provider : stale()) asking.emplace_back(refresh(*provider, exchange));
  for (net::Running<void>& one : asking) co_await one.finished();
  co_return merged();
}

std::vector<const Provider*> ModelList::stale() const {
  std::vector<const Provider*> result;
  const TimePoint now = Clock::now();
  const std::lock_guard lock(mutex_);
  for (const auto& [name, provider] : providers_.all()) {
    const auto found = kept_.find(name);
    const bool fresh = found != kept_.end() && found->second.until > now;
    if (!fresh && shared(*provider)) result.push_back(provider.get());
  }
  return result;
}

Task<void> ModelList::refresh(const Provider& provider, Exchange& exchange) {
  const std::string& name = provider.config().name;
  net::Running<Result<std::string>> fetching(fetch(provider, exchange));
  co_await fetching.finished(Clock::now() + patience);
  const Result<std::string> text =
      fetching.done() ? fetching.take() : fail(ErrorKind::timeout, ErrorSource::upstream, "");
  if (!text) {
    // What it listed before stays; a dead provider costs a wait now and then, not one for each request.
    const std::lock_guard lock(mutex_);
    kept_[name].until = Clock::now() + failure_kept_for;
    co_return;
  }
  Entries entries = llm::openai::parse_model_list(*text);
  for (llm::openai::ModelEntry& entry : entries) entry.id.insert(0, name + "/");
  const std::lock_guard lock(mutex_);
  kept_[name] = {std::move(entries), Clock::now() + kept_for};
}

ModelList::Entries ModelList::merged() const {
  Entries result;
  for (const ModelConfig& alias : aliases_) result.push_back({alias.name, 0, "sluice"});
  const std::lock_guard lock(mutex_);
  for (const auto& [name, kept] : kept_) result.insert(result.end(), kept.entries.begin(), kept.entries.end());
  return result;
}

}  // namespace sluice
