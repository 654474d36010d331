#include "provider/provider_stage.h"

#include <fmt/format.h>

#include "base/random.h"
#include "http/url.h"
#include "llm/dialect/openai/request_view.h"
#include "net/running.h"
#include "net/stream.h"
#include "pipeline/load_body.h"
#include "pipeline/refuse.h"
#include "provider/reply_bodies.h"

namespace sluice {
namespace {

constexpr std::string_view provider_header = "x-sluice-provider";

/// Longer names are no models: logs and lists of live exchanges carry them whole.
constexpr std::size_t longest_model = 1024;

/// Endpoints that stream chunks and take `stream_options`.
bool takes_stream_options(std::string_view path) { return path == "/chat/completions" || path == "/completions"; }

/// Endpoints whose requests are for a model, the default one if they name none.
bool is_for_model(std::string_view path) {
  return takes_stream_options(path) || path == "/responses" || path == "/embeddings";
}

/// "." and ".." would walk out of the provider's root with its credential in hand. Servers differ in what they take for
/// a segment: some decode "%2f" first, some know "\\" or leave away what follows a ";".
bool has_dot_segment(std::string_view decoded) {
  while (!decoded.empty()) {
    const std::string_view segment = decoded.substr(0, decoded.find_first_of("/\\"));
    decoded.remove_prefix(std::min(decoded.size(), segment.size() + 1));
    const std::string_view name = segment.substr(0, segment.find(';'));
    if (name == "." || name == "..") return true;
  }
  return false;
}

/// Whether the provider may be asked for this path in its own name.
Result<void> check_path(std::string_view path) {
  const std::optional<std::string> decoded = http::percent_decode(path);
  if (!decoded) {
    return fail(ErrorKind::bad_request, ErrorSource::client, "The path is not percent-encoded as it should be.");
  }
  if (!has_dot_segment(*decoded)) return {};
  return fail(ErrorKind::bad_request, ErrorSource::client, "The path must not have segments of dots.");
}

/// A server answers these with the request as it came, the provider's credential in it.
bool is_echo_method(std::string_view method) { return method == "TRACE" || method == "TRACK"; }

bool wants_websocket(const http::RequestHead& head) {
  return head.fields.lists("connection", "upgrade") && http::same_name(head.fields.get("upgrade"), "websocket");
}

bool is_event_stream(const http::Fields& fields) {
  constexpr std::string_view type = "text/event-stream";
  const std::string_view value = fields.get("content-type");
  return value.size() >= type.size() && http::same_name(value.substr(0, type.size()), type);
}

bool is_json(const http::Fields& fields) { return fields.get("content-type").find("json") != std::string_view::npos; }

/// `query`, without its "?", with its model replaced; with a "?".
std::string with_model(std::string_view query, std::string_view model) {
  std::string result;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    result.append(result.empty() ? "?" : "&");
    result.append(pair.starts_with("model=") ? "model=" + http::percent_encode(model) : std::string(pair));
  }
  return result;
}

/// Counts what streams through to the provider.
class CountedBody final : public http::Body {
 public:
  CountedBody(Exchange& exchange, std::unique_ptr<http::Body> body) : exchange_(exchange), body_(std::move(body)) {}
  Task<Result<std::string_view>> read() override {
    Result<std::string_view> piece = co_await body_->read();
    if (piece) exchange_.record.bytes_in += piece->size();
    co_return piece;
  }
  std::optional<std::uint64_t> length() const override { return body_->length(); }
  const http::Fields* trailers() const override { return body_->trailers(); }

 private:
  Exchange& exchange_;
  std::unique_ptr<http::Body> body_;
};

/// A reply's body together with the call that it refers to.
class CallBody final : public http::Body {
 public:
  CallBody(std::unique_ptr<UpstreamCall> call, std::unique_ptr<http::Body> sent, std::unique_ptr<http::Body> body)
      : call_(std::move(call)), sent_(std::move(sent)), body_(std::move(body)) {}
  Task<Result<std::string_view>> read() override { return body_->read(); }
  std::optional<std::uint64_t> length() const override { return body_->length(); }
  const http::Fields* trailers() const override { return body_->trailers(); }

 private:
  std::unique_ptr<UpstreamCall> call_;
  std::unique_ptr<http::Body> sent_;
  std::unique_ptr<http::Body> body_;  // last: it refers to the others
};

}  // namespace

struct ProviderStage::Plan {
  const Provider* provider = nullptr;
  std::unique_ptr<UpstreamCall> call = std::make_unique<UpstreamCall>();
  std::unique_ptr<http::Body> sent;  ///< a request body that streams through
  std::string path;                  ///< under the provider's root
  std::size_t choices = 1;
  bool chat = false;        ///< an answer whose usage counts
  bool hide_usage = false;  ///< we ask for usage, the client did not
};

Task<Reply> ProviderStage::handle(Exchange& exchange, Next) {
  if (ModelList::asks_for_it(exchange.request.head)) co_return co_await model_list_.answer(exchange);
  Result<Plan> plan = co_await make_plan(exchange);
  if (!plan) co_return refuse(exchange, plan.error());
  co_return co_await ask(exchange, std::move(*plan));
}

Task<Result<ProviderStage::Plan>> ProviderStage::make_plan(Exchange& exchange) const {
  const http::RequestHead& head = exchange.request.head;
  Plan plan;
  const std::optional<ProviderPath> named = split_provider_path(head.path());
  const std::string_view path = named ? named->rest : head.path();
  if (!path.starts_with("/v1/")) {
    co_return fail(
        ErrorKind::not_found, ErrorSource::client,
        fmt::format("No such endpoint: {} {}. The API lives under /v1/.", head.method, exchange.record.path));
  }
  if (is_echo_method(head.method)) {
    co_return fail(ErrorKind::method, ErrorSource::client, fmt::format("{} is not offered.", head.method));
  }
  if (const Result<void> checked = check_path(path); !checked) co_return tl::unexpected(checked.error());
  plan.path = path_under_root(path);
  plan.call->method = head.method;
  plan.call->upgrade = wants_websocket(head);
  if (has_json_body(exchange)) {
    const Result<void> loaded = co_await load_body(exchange, exchange.route.max_body);
    if (!loaded) co_return tl::unexpected(loaded.error());
  }
  const std::string_view provider = named ? named->provider : std::string_view();
  const Result<void> planned =
      exchange.body_text ? plan_json(exchange, provider, plan) : plan_other(exchange, provider, plan);
  if (!planned) co_return tl::unexpected(planned.error());
  co_return plan;
}

/// Whom the hints name, or else whom the model's name means. Without a model there is nobody else to ask for but a
/// provider.
Result<ModelChoice> ProviderStage::decide(const ProviderHints& hints, const std::string& model, bool for_model) const {
  if (model.size() > longest_model) {
    return fail(ErrorKind::bad_request, ErrorSource::client,
                fmt::format("The model's name is longer than {} bytes.", longest_model));
  }
  const bool hinted = !hints.path.empty() || !hints.header.empty() || !hints.route.empty();
  if (!hinted && (for_model || !model.empty())) return models_.resolve(model, random::next());
  const Result<std::string> provider = models_.choose_provider(hints);
  if (!provider) return tl::unexpected(provider.error());
  // A name that carries the provider already is not prefixed again.
  const std::string own = model.starts_with(*provider + "/") ? model.substr(provider->size() + 1) : model;
  return ModelChoice{*provider, own, own, false};
}

/// By what the body says: it names the model.
Result<void> ProviderStage::plan_json(Exchange& exchange, std::string_view named, Plan& plan) const {
  Result<llm::openai::RequestView> view = llm::openai::RequestView::parse(*exchange.body_text);
  if (!view) return forward(view);
  exchange.record.stream = view->stream();
  const ProviderHints hints{named, exchange.request.head.fields.get(provider_header), exchange.route.provider};
  const Result<ModelChoice> choice = decide(hints, view->model(), is_for_model(plan.path));
  if (!choice) return tl::unexpected(choice.error());
  choose(exchange, *choice, plan);
  const bool add_usage = view->stream() && !view->wants_usage() && takes_stream_options(plan.path);
  plan.hide_usage = add_usage;
  plan.chat = !choice->model.empty();
  plan.choices = view->choices();
  plan.call->has_body = true;
  plan.call->target = plan.path + upstream_query(exchange.request.head.query());
  const bool unchanged = choice->model == view->model() && !add_usage;
  plan.call->body = unchanged ? std::move(*exchange.body_text) : view->rewritten(choice->model, add_usage);
  exchange.body_text.reset();
  return {};
}

/// By path, header, route or query: the body is not ours to read.
Result<void> ProviderStage::plan_other(Exchange& exchange, std::string_view named, Plan& plan) const {
  const http::RequestHead& head = exchange.request.head;
  const ProviderHints hints{named, head.fields.get(provider_header), exchange.route.provider};
  const std::string model = http::query_value(head.query(), "model").value_or("");
  const Result<ModelChoice> choice = decide(hints, model, false);
  if (!choice) return tl::unexpected(choice.error());
  choose(exchange, *choice, plan);
  const std::string query = upstream_query(head.query());
  plan.call->target =
      plan.path + (choice->model == model ? query : with_model(std::string_view(query).substr(1), choice->model));
  if (exchange.request.body) {
    plan.sent = std::make_unique<CountedBody>(exchange, std::move(exchange.request.body));
    plan.call->streamed_body = plan.sent.get();
    plan.call->has_body = true;
  }
  return {};
}

void ProviderStage::choose(Exchange& exchange, const ModelChoice& choice, Plan& plan) const {
  plan.provider = providers_.find(choice.provider);
  exchange.record.provider = choice.provider;
  exchange.record.model = choice.label;
  exchange.record.model_known = choice.configured;
  exchange.record.upstream_model = choice.model;
}

Task<Reply> ProviderStage::ask(Exchange& exchange, Plan plan) const {
  if (exchange.cancelled()) co_return refuse(exchange, *exchange.cancelled());
  UpstreamCall& call = *plan.call;
  const ProviderConfig& config = plan.provider->config();
  call.fields = upstream_fields(exchange.request.head, config, plan.provider->next_key(), exchange.record.id,
                                exchange.traceparent, plan.chat);

  net::Running<Result<http::Response>> asking(plan.provider->upstream().send(call, *exchange.upstreams));
  if (!asking.done()) {
    exchange.set_interrupt([&asking] { asking.interrupt(); });
    co_await asking.finished();
    exchange.set_interrupt(nullptr);
  }
  if (!asking.done()) co_return refuse(exchange, *exchange.cancelled());
  Result<http::Response> answer = asking.take();
  if (!answer) co_return refuse(exchange, answer.error());
  // Sent and answered: a stream may go on for an hour, and nobody asks for these again.
  call.fields.clear();
  exchange.request.head.fields.clear();

  Reply reply;
  reply.status = answer->status;
  reply.fields = reply_fields(answer->fields);
  reply.fields.set(provider_header, config.name);
  reply.upgrade = std::move(answer->upgrade);
  if (reply.upgrade) {
    reply.fields.set("upgrade", answer->fields.get("upgrade"));
    net::Stream* stream = reply.upgrade->stream.get();
    exchange.set_interrupt([stream] { stream->close(); });
  }
  if (!answer->body) co_return reply;

  const ReplyContext context{exchange, prices_, config.name, call};
  auto body = std::make_unique<CallBody>(std::move(plan.call), std::move(plan.sent), std::move(answer->body));
  if (plan.chat && reply.status < 300 && is_event_stream(reply.fields)) {
    exchange.record.stream = true;
    const llm::openai::StreamRelay::Options options{.hide_usage = plan.hide_usage, .choices = plan.choices};
    reply.body = std::make_unique<StreamReply>(context, std::move(body), llm::openai::StreamRelay(options));
  } else {
    reply.body = std::make_unique<WholeReply>(context, std::move(body),
                                              plan.chat && reply.status < 300 && is_json(reply.fields));
  }
  co_return reply;
}

}  // namespace sluice
