#include "provider/call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

using FieldList = std::vector<std::pair<std::string, std::string>>;

http::RequestHead head_with(const FieldList& fields) {
  http::RequestHead head;
  head.method = "POST";
  head.target = "/v1/chat/completions";
  for (const auto& [name, value] : fields) head.fields.add(name, value);
  return head;
}

FieldList list_of(const http::Fields& fields) {
  FieldList list;
  for (const http::Field& field : fields) list.emplace_back(field.name, field.value);
  return list;
}

FieldList sent(const FieldList& from_client, const ProviderConfig& provider = {}, std::string_view key = {},
               bool whole_text = false) {
  return list_of(upstream_fields(head_with(from_client), provider, key, "req_1", "", whole_text));
}

const FieldList::value_type id{"x-request-id", "req_1"};

TEST(UpstreamFields, PassTheClientsOwnOnInTheirOrder) {
  EXPECT_THAT(
      sent({{"Content-Type", "application/json"}, {"OpenAI-Beta", "a"}, {"openai-beta", "b"}, {"User-Agent", "x"}}),
      ElementsAre(std::pair("Content-Type", "application/json"), std::pair("OpenAI-Beta", "a"),
                  std::pair("openai-beta", "b"), std::pair("User-Agent", "x"), id));
}

TEST(UpstreamFields, LeaveOutWhatBelongsToOneConnection) {
  EXPECT_THAT(sent({{"Connection", "keep-alive"},
                    {"Keep-Alive", "timeout=5"},
                    {"Proxy-Connection", "keep-alive"},
                    {"TE", "trailers"},
                    {"Trailer", "x"},
                    {"Transfer-Encoding", "chunked"},
                    {"Upgrade", "websocket"},
                    {"Content-Length", "7"},
                    {"Proxy-Authorization", "Basic x"},
                    {"Proxy-Authenticate", "Basic"},
                    {"Accept", "*/*"}}),
              ElementsAre(std::pair("Accept", "*/*"), id));
}

TEST(UpstreamFields, LeaveOutWhatConnectionLists) {
  EXPECT_THAT(sent({{"Connection", "close, X-Hop"},
                    {"connection", "x-other"},
                    {"x-hop", "1"},
                    {"X-Other", "2"},
                    {"x-kept", "3"}}),
              ElementsAre(std::pair("x-kept", "3"), id));
}

TEST(UpstreamFields, NeverCarryTheClientsCredentials) {
  const FieldList credentials{{"Authorization", "Bearer sk-client"},
                              {"X-API-Key", "sk-client"},
                              {"api-key", "sk-client"},
                              {"x-goog-api-key", "sk-client"},
                              {"Cookie", "s=sk-client"}};
  EXPECT_THAT(sent(credentials), ElementsAre(id));
  EXPECT_THAT(sent(credentials, {}, "sk-provider"), ElementsAre(std::pair("authorization", "Bearer sk-provider"), id));
}

TEST(UpstreamFields, CarryThemWhenTheProviderSaysSo) {
  ProviderConfig provider;
  provider.client_key = true;
  EXPECT_THAT(sent({{"Authorization", "Bearer sk-client"}, {"x-api-key", "k"}}, provider),
              ElementsAre(std::pair("Authorization", "Bearer sk-client"), std::pair("x-api-key", "k"), id));
}

TEST(UpstreamFields, LeaveOutWhatIsMeantForThisGateway) {
  EXPECT_THAT(sent({{"Host", "gateway.example"},
                    {"Expect", "100-continue"},
                    {"X-Sluice-Provider", "openai"},
                    {"X-Forwarded-For", "10.0.0.7"},
                    {"x-forwarded-proto", "https"},
                    {"Forwarded", "for=10.0.0.7"},
                    {"X-Request-Id", "the-client's"},
                    {"x-forwarded", "not one of them"}}),
              ElementsAre(std::pair("x-forwarded", "not one of them"), id));
}

TEST(UpstreamFields, CarryTheExchangesOwnIdAndTrace) {
  const auto fields =
      upstream_fields(head_with({{"traceparent", "old"}, {"tracestate", "a=b"}}), {}, "", "req_9", "new", false);
  EXPECT_THAT(list_of(fields), ElementsAre(std::pair("tracestate", "a=b"), std::pair("x-request-id", "req_9"),
                                           std::pair("traceparent", "new")));
}

TEST(UpstreamFields, ConfiguredOnesReplaceTheClients) {
  ProviderConfig provider;
  provider.headers = {{"OpenAI-Organization", Secret("ours")}, {"authorization", Secret("Custom k")}};
  EXPECT_THAT(
      sent({{"openai-organization", "theirs"}, {"openai-organization", "again"}, {"accept", "*/*"}}, provider, "sk-1"),
      UnorderedElementsAre(std::pair("accept", "*/*"), std::pair("OpenAI-Organization", "ours"),
                           std::pair("authorization", "Custom k"), id));
}

TEST(UpstreamFields, AskForPlainTextWhereTheTextIsLookedAt) {
  EXPECT_THAT(sent({{"Accept-Encoding", "gzip"}}), ElementsAre(std::pair("Accept-Encoding", "gzip"), id));
  EXPECT_THAT(sent({{"Accept-Encoding", "gzip"}}, {}, "", true), ElementsAre(id));
}

TEST(UpstreamQuery, LosesCredentialsOnly) {
  EXPECT_EQ(upstream_query(""), "");
  EXPECT_EQ(upstream_query("key=sk-client"), "");
  EXPECT_EQ(upstream_query("limit=2&key=sk-client&after=x%20y"), "?limit=2&after=x%20y");
  EXPECT_EQ(upstream_query("key=a&key=b&monkey=c&key"), "?monkey=c&key");
  EXPECT_EQ(upstream_query("&&a=1&&b&"), "?a=1&b");
}

TEST(ReplyFields, LeaveOutWhatBelongsToOneConnection) {
  http::Fields fields;
  for (const auto& [name, value] : FieldList{{"Content-Type", "application/json"},
                                             {"Content-Length", "12"},
                                             {"Transfer-Encoding", "chunked"},
                                             {"Connection", "close, X-Hop"},
                                             {"Keep-Alive", "timeout=5"},
                                             {"x-hop", "1"},
                                             {"Set-Cookie", "a=1"},
                                             {"set-cookie", "b=2"},
                                             {"x-ratelimit-remaining-tokens", "7"}}) {
    fields.add(name, value);
  }
  EXPECT_THAT(list_of(reply_fields(fields)),
              ElementsAre(std::pair("Content-Type", "application/json"), std::pair("Set-Cookie", "a=1"),
                          std::pair("set-cookie", "b=2"), std::pair("x-ratelimit-remaining-tokens", "7")));
}

TEST(ReplyFields, LoseWhatTheProviderSaysOfItsOwnOrigin) {
  http::Fields fields;
  fields.add("Access-Control-Allow-Origin", "*");
  fields.add("access-control-allow-credentials", "true");
  fields.add("Alt-Svc", "h3=\":443\"");
  fields.add("Strict-Transport-Security", "max-age=31536000; includeSubDomains; preload");
  fields.add("x-kept", "1");
  EXPECT_THAT(list_of(reply_fields(fields)), ElementsAre(std::pair("x-kept", "1")));
}

TEST(HopByHop, IsKnownWithoutCase) {
  EXPECT_TRUE(is_hop_by_hop("Connection"));
  EXPECT_TRUE(is_hop_by_hop("TRANSFER-ENCODING"));
  EXPECT_FALSE(is_hop_by_hop("content-type"));
  EXPECT_FALSE(is_hop_by_hop(""));
}

TEST(PathUnderRoot, LosesTheVersionOnly) {
  EXPECT_EQ(path_under_root("/v1/chat/completions"), "/chat/completions");
  EXPECT_EQ(path_under_root("/v1"), "");
  EXPECT_EQ(path_under_root("/v1beta/models"), "/v1beta/models");
  EXPECT_EQ(path_under_root("/v2/x"), "/v2/x");
}

}  // namespace
}  // namespace sluice
