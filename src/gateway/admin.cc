#include "gateway/admin.h"

#include <boost/json.hpp>

#include "gateway/config/load.h"
#include "llm/dialect/openai/errors.h"

namespace sluice {
namespace {

namespace json = boost::json;

constexpr std::string_view streams_path = "/admin/streams";

http::Response json_answer(int status, const json::value& value) {
  return http::make_response(status, "application/json", json::serialize(value) + "\n");
}

http::Response failure(int status, const Error& error) {
  return http::make_response(status, "application/json", llm::openai::error_body(error));
}

json::object to_json(const LiveView& view) {
  return {{"id", view.id},
          {"request_id", view.request_id},
          {"client", view.client},
          {"method", view.method},
          {"path", view.path},
          {"route", view.route},
          {"provider", view.provider},
          {"model", view.model},
          {"stream", view.stream},
          {"age_seconds", view.age_seconds},
          {"bytes_in", view.bytes_in},
          {"bytes_out", view.bytes_out},
          {"tokens", view.tokens}};
}

/// The method a path answers to, or empty if there is no such path.
std::string_view method_of(std::string_view path) {
  if (path == "/healthz" || path == "/readyz" || path == "/metrics" || path == "/admin/config" || path == streams_path)
    return "GET";
  if (path == "/admin/reload") return "POST";
  return path.starts_with(streams_path) && path.size() > streams_path.size() + 1 ? "DELETE" : "";
}

}  // namespace

Task<http::Response> AdminHandler::handle(http::Request& request) {
  const std::string path(request.head.path());
  const std::string_view wanted = method_of(path);
  const std::string method = request.head.method == "HEAD" ? "GET" : request.head.method;
  if (wanted.empty()) {
    const Error error{
        ErrorKind::not_found, ErrorSource::client, Retryable::no,
        "No such page. There are /healthz, /readyz, /metrics, /admin/config, /admin/streams and /admin/reload."};
    co_return failure(404, error);
  }
  if (method != wanted) {
    const Error error{ErrorKind::method, ErrorSource::client, Retryable::no,
                      path + " takes " + std::string(wanted) + "."};
    http::Response response = failure(405, error);
    response.fields.add("allow", wanted);
    co_return response;
  }
  if (path == "/healthz") co_return json_answer(200, {{"status", "ok"}});
  if (path == "/readyz") co_return ready();
  if (path == "/metrics")
    co_return http::make_response(200, "text/plain; version=0.0.4; charset=utf-8", metrics_.render());
  if (path == "/admin/config") {
    co_return http::make_response(200, "application/json", effective_json(gateway_.snapshot().config) + "\n");
  }
  if (path == "/admin/reload") co_return co_await reload();
  if (path == streams_path) co_return co_await list_streams();
  co_return co_await end_stream(path.substr(streams_path.size() + 1));
}

http::Response AdminHandler::fail(int status, const Error& error) { return failure(status, error); }

http::Response AdminHandler::ready() const {
  if (gateway_.draining()) return json_answer(503, {{"status", "draining"}});
  return json_answer(200, {{"status", "ready"}, {"revision", gateway_.snapshot().revision}});
}

Task<http::Response> AdminHandler::reload() {
  const ReloadResult result = gateway_.reload("admin");
  if (result.ok) co_await gateway_.obeyed();
  json::object answer{{"ok", result.ok}, {"revision", result.revision}};
  if (!result.ok) answer["problems"] = json::value_from(result.problems);
  co_return json_answer(result.ok ? 200 : 422, answer);
}

Task<http::Response> AdminHandler::list_streams() {
  const std::vector<LiveView> views = co_await gateway_.live();
  json::array streams;
  for (const LiveView& view : views) streams.push_back(to_json(view));
  co_return json_answer(200, {{"streams", std::move(streams)}});
}

Task<http::Response> AdminHandler::end_stream(std::string id) {
  const bool ended = co_await gateway_.end_exchange(id);
  if (ended) co_return json_answer(200, {{"ended", id}});
  const Error error{ErrorKind::not_found, ErrorSource::client, Retryable::no,
                    "No exchange under way has this id; GET /admin/streams lists them."};
  co_return failure(404, error);
}

}  // namespace sluice
