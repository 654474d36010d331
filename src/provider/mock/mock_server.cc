#include "provider/mock/mock_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "net/worker.h"
#include "provider/mock/directions.h"
#include "provider/mock/embeddings.h"
#include "provider/mock/files.h"
#include "provider/mock/journal.h"
#include "provider/mock/json_text.h"
#include "provider/mock/script.h"
#include "provider/mock/stream_body.h"

namespace sluice::mock {

struct MockServer::State {
  MockOptions options;
  std::vector<Fault> faults;
  std::shared_ptr<Journal> journal = std::make_shared<Journal>();
};

namespace {

using State = MockServer::State;
using Kind = Fault::Kind;

constexpr std::string_view json_type = "application/json";
constexpr std::uint64_t max_body = 256ULL << 20;

/// An endpoint that generates text.
struct Endpoint {
  std::string_view path;
  Checked<Question> (*read)(Json body);
  std::string (*whole)(const Answer& answer);
  std::unique_ptr<Script> (*script)(Answer answer);
};

constexpr std::array<Endpoint, 3> endpoints{{
    {"/v1/chat/completions", read_chat, chat_text, chat_script},
    {"/v1/completions", read_completion, completion_text, completion_script},
    {"/v1/responses", read_responses, responses_text, responses_script},
}};
constexpr std::string_view embeddings_path = "/v1/embeddings";
constexpr std::string_view models_path = "/v1/models";
constexpr std::string_view files_path = "/v1/files/";
constexpr std::string_view content_suffix = "/content";

/// An answer, and how long a model takes before its head.
struct Reply {
  http::Response response;
  Duration wait{};
};

Complaint no_such(const http::RequestHead& head) {
  return {
      404, fmt::format("Invalid URL ({} {})", head.method, head.path()), "invalid_request_error", {}, "unknown_url"};
}

Complaint not_allowed(const http::RequestHead& head) {
  return {405,
          fmt::format("Not allowed to {} on {}.", head.method, head.path()),
          "invalid_request_error",
          {},
          "method_not_supported"};
}

/// The limits as OpenAI reports them, of an account that nobody can exhaust.
void add_usual_fields(http::Fields& fields, std::uint64_t number) {
  fields.add("openai-organization", "mock");
  fields.add("openai-version", "2020-10-01");
  fields.add("x-request-id", fmt::format("req_mock{:024x}", number));
  fields.add("x-ratelimit-limit-requests", "10000");
  fields.add("x-ratelimit-limit-tokens", "2000000");
  fields.add("x-ratelimit-remaining-requests", "9999");
  fields.add("x-ratelimit-remaining-tokens", "1999000");
  fields.add("x-ratelimit-reset-requests", "6ms");
  fields.add("x-ratelimit-reset-tokens", "30ms");
}

http::Response status_fault(const Fault& fault) {
  http::Response response = refusal(complaint_of_status(fault.status));
  if (fault.retry_after > 0) response.fields.set("retry-after", std::to_string(fault.retry_after));
  return response;
}

http::Response stream_response(std::unique_ptr<Script> script, const Directions& directions, const State& state) {
  http::Response response;
  response.fields.add("content-type", "text/event-stream; charset=utf-8");
  response.fields.add("cache-control", "no-cache");
  response.body = std::make_unique<StreamBody>(std::move(script), directions, state.journal);
  return response;
}

http::Response whole_response(std::string text, const Directions& directions, const State& state) {
  if (directions.fault.kind == Kind::error_event) return refusal(complaint_of_status(500));
  http::Response response;
  response.fields.add("content-type", json_type);
  response.body = whole_body(std::move(text), directions, state.journal);
  return response;
}

Reply generate(const Endpoint& endpoint, std::string_view body, const Directions& directions, const State& state) {
  const Checked<Question> question = with_json(body, endpoint.read);
  if (!question) return {refusal(question.error())};
  Answer answer = make_answer(*question, state.options.seed, directions);
  if (question->stream) return {stream_response(endpoint.script(std::move(answer)), directions, state)};
  const auto pauses = static_cast<std::int64_t>(std::max<std::size_t>(answer.longest(), 1) - 1);
  return {whole_response(endpoint.whole(answer), directions, state),
          directions.first_token + directions.between_tokens * pauses};
}

Reply embeddings(std::string_view body, const Directions& directions, const State& state) {
  const auto embed_all = [&](Json json) { return embeddings_text(json, state.options.seed); };
  Checked<std::string> text = with_json(body, embed_all);
  if (!text) return {refusal(text.error())};
  return {whole_response(std::move(*text), directions, state), directions.first_token};
}

std::string model_text(std::string_view name) {
  return fmt::format(R"({{"id":{},"object":"model","created":{},"owned_by":"mock"}})", json_string(name), created);
}

http::Response models(const State& state) {
  std::string text = R"({"object":"list","data":[)";
  for (const std::string& model : state.options.models) {
    if (&model != state.options.models.data()) text += ',';
    text += model_text(model);
  }
  return http::make_response(200, json_type, text + "]}");
}

http::Response one_model(const State& state, std::string_view name) {
  if (std::ranges::find(state.options.models, name) != state.options.models.end()) {
    return http::make_response(200, json_type, model_text(name));
  }
  return refusal(
      {404, fmt::format("The model '{}' does not exist.", name), "invalid_request_error", "model", "model_not_found"});
}

/// `/mock/...` for tests, `/healthz` for those who wait for the start.
http::Response control(const State& state, const http::RequestHead& head) {
  Journal& journal = *state.journal;
  const std::string_view path = head.path();
  if (path == "/healthz") return http::make_response(200, "text/plain", "ok\n");
  if (path == "/mock/stats" && head.method == "GET") return http::make_response(200, json_type, journal.stats_text());
  if (path != "/mock/requests") return refusal(no_such(head));
  if (head.method == "GET") return http::make_response(200, json_type, journal.requests_text());
  if (head.method != "DELETE") return refusal(not_allowed(head));
  journal.clear();
  return http::make_response(200, json_type, R"({"cleared":true})");
}

/// What is read from here needs no body.
http::Response resource(const State& state, const http::RequestHead& head) {
  const std::string_view path = head.path();
  if (head.method != "GET" && head.method != "HEAD") return refusal(no_such(head));
  if (path == models_path) return models(state);
  if (path.starts_with(models_path) && path[models_path.size()] == '/') {
    return one_model(state, path.substr(models_path.size() + 1));
  }
  if (path.starts_with(files_path) && path.ends_with(content_suffix)) {
    return content_response(head,
                            path.substr(files_path.size(), path.size() - files_path.size() - content_suffix.size()),
                            "application/octet-stream");
  }
  return refusal(no_such(head));
}

const Endpoint* find_endpoint(std::string_view path) {
  const auto found = std::ranges::find(endpoints, path, &Endpoint::path);
  return found == endpoints.end() ? nullptr : &*found;
}

/// Everything that is no JSON (multipart forms, recordings, raw bytes), and what makes or reads pictures and sounds.
bool is_upload(const http::RequestHead& head) {
  const std::string_view path = head.path();
  if ((head.method != "POST" && head.method != "PUT") || find_endpoint(path) || path == embeddings_path) return false;
  const std::string_view type = head.fields.get("content-type");
  return path.starts_with("/v1/audio/") || path.starts_with("/v1/images/") ||
         !http::same_name(type.substr(0, json_type.size()), json_type);
}

http::Response body_failed(const Error& error) {
  const int status = error.kind == ErrorKind::too_large ? 413 : 400;
  return refusal({status, fmt::format("The body could not be read: {}.", error.text)});
}

Reply reply_to(const State& state, const http::RequestHead& head, std::string_view body, const Directions& directions) {
  const std::string_view path = head.path();
  const Endpoint* endpoint = find_endpoint(path);
  if (!endpoint && path != embeddings_path) return {resource(state, head)};
  if (head.method != "POST") return {refusal(not_allowed(head))};
  return endpoint ? generate(*endpoint, body, directions, state) : embeddings(body, directions, state);
}

Task<Reply> work(const State& state, http::Request& request, std::uint64_t number, const Directions& directions) {
  if (is_upload(request.head)) {
    const Result<Upload> upload = co_await consume(request.body.get());
    if (!upload) co_return Reply{body_failed(upload.error())};
    state.journal->note_body_size(number, upload->bytes);
    if (directions.fault.kind == Kind::status) co_return Reply{status_fault(directions.fault)};
    co_return Reply{upload_response(request.head, *upload)};
  }
  const Result<std::string> body = co_await http::read_all(request.body.get(), max_body);
  if (!body) co_return Reply{body_failed(body.error())};
  state.journal->note_body(number, *body);
  if (directions.echo) {
    co_return Reply{http::make_response(200, json_type, Journal::echo_text(request.head, *body))};
  }
  if (directions.fault.kind == Kind::status) co_return Reply{status_fault(directions.fault)};
  co_return reply_to(state, request.head, *body, directions);
}

Task<http::Response> answer(std::shared_ptr<const State> state, http::Request request) {
  if (!request.head.path().starts_with("/v1/")) co_return control(*state, request.head);
  RequestCount count(state->journal);
  const std::uint64_t number = state->journal->note(request.head);
  const auto directions = directions_for(state->options, state->faults, request.head.fields, number);
  if (!directions) {
    count.finish();
    co_return refusal(directions.error());
  }
  const Fault& fault = directions->fault;
  if (fault.kind != Kind::none) ++state->journal->faults;
  Reply reply = co_await work(*state, request, number, *directions);
  if (fault.kind == Kind::slow_headers) reply.wait += fault.wait;
  if (reply.wait > Duration::zero()) co_await net::sleep_for(reply.wait);
  add_usual_fields(reply.response.fields, number);
  count.finish();
  co_return std::move(reply.response);
}

}  // namespace

MockServer::MockServer(const MockOptions& options) {
  auto state = std::make_shared<State>();
  state->options = options;
  for (const std::string& text : options.faults) {
    const Checked<Fault> fault = parse_fault(text);
    if (!fault) throw std::invalid_argument(fault.error().message);
    state->faults.push_back(*fault);
  }
  state_ = std::move(state);
}

MockServer::~MockServer() = default;

Task<http::Response> MockServer::handle(http::Request request) { return answer(state_, std::move(request)); }

}  // namespace sluice::mock
