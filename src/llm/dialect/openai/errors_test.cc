#include "llm/dialect/openai/errors.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <tuple>

namespace sluice::llm::openai {
namespace {

namespace json = boost::json;

Error error_of(ErrorKind kind, ErrorSource source, std::string text = "why") {
  return {kind, source, Retryable::no, std::move(text)};
}

struct Row {
  ErrorKind kind;
  ErrorSource source;
  int status;
  const char* type;
  const char* code;
};

constexpr auto client = ErrorSource::client;
constexpr auto gateway = ErrorSource::gateway;
constexpr auto upstream = ErrorSource::upstream;

const std::vector<Row> rows{
    {ErrorKind::bad_request, client, 400, "invalid_request_error", "bad_request"},
    {ErrorKind::unauthorized, client, 401, "authentication_error", "unauthorized"},
    {ErrorKind::not_found, client, 404, "invalid_request_error", "not_found"},
    {ErrorKind::model_not_found, client, 404, "invalid_request_error", "model_not_found"},
    {ErrorKind::method, client, 405, "invalid_request_error", "method_not_allowed"},
    {ErrorKind::too_large, client, 413, "invalid_request_error", "too_large"},
    {ErrorKind::timeout, client, 408, "invalid_request_error", "timeout"},
    {ErrorKind::timeout, upstream, 504, "server_error", "timeout"},
    {ErrorKind::resolve, upstream, 502, "server_error", "resolve_failed"},
    {ErrorKind::connect, upstream, 502, "server_error", "connect_failed"},
    {ErrorKind::tls, upstream, 502, "server_error", "tls_failed"},
    {ErrorKind::protocol, upstream, 502, "server_error", "protocol_error"},
    {ErrorKind::protocol, client, 400, "invalid_request_error", "protocol_error"},
    {ErrorKind::reset, upstream, 502, "server_error", "connection_reset"},
    {ErrorKind::closed, upstream, 502, "server_error", "connection_closed"},
    {ErrorKind::truncated, upstream, 502, "server_error", "truncated"},
    {ErrorKind::overloaded, gateway, 503, "server_error", "overloaded"},
    {ErrorKind::overloaded, client, 429, "rate_limit_error", "overloaded"},
    {ErrorKind::draining, gateway, 503, "server_error", "draining"},
    {ErrorKind::cancelled, gateway, 503, "server_error", "cancelled"},
    {ErrorKind::config, gateway, 500, "server_error", "config_error"},
    {ErrorKind::internal, gateway, 500, "server_error", "internal_error"},
};

TEST(OpenAiErrors, EveryErrorHasItsStatusTypeAndCode) {
  for (const Row& row : rows) {
    SCOPED_TRACE(row.code);
    const Error error = error_of(row.kind, row.source);
    EXPECT_EQ(status_of(error), row.status);
    const json::value body = json::parse(error_body(error));
    EXPECT_EQ(body.as_object().size(), 1u);
    const json::object& inner = body.at("error").as_object();
    EXPECT_EQ(inner.at("message").as_string(), "why");
    EXPECT_EQ(inner.at("type").as_string(), row.type);
    EXPECT_TRUE(inner.at("param").is_null());
    EXPECT_EQ(inner.at("code").as_string(), row.code);
  }
}

TEST(OpenAiErrors, AnyTextIsWrittenAsJson) {
  for (const std::string_view text : {"a \"quoted\"\n\\ line", "", "\x01\x7f", "今天 🎉"}) {
    const json::value body = json::parse(error_body(error_of(ErrorKind::internal, gateway, std::string(text))));
    EXPECT_EQ(body.at("error").at("message").as_string(), json::string_view(text.data(), text.size()));
  }
}

TEST(OpenAiErrors, TextThatIsNotUtf8StaysReadable) {
  const json::value body =
      json::parse(error_body(error_of(ErrorKind::model_not_found, client, "There is no model \"\xff\xfe\x80x\".")));
  EXPECT_EQ(body.at("error").at("message").as_string(), "There is no model \"???x\".");
}

}  // namespace
}  // namespace sluice::llm::openai
