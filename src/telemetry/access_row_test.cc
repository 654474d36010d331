#include "telemetry/access_row.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::telemetry {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using testing::HasSubstr;

std::string line_of(const AccessRow& row) {
  std::string line;
  append_json_line(row, line);
  return line;
}

TEST(AccessRow, IsOneLineOfJsonWithStableKeys) {
  AccessRow row;
  row.time = std::chrono::system_clock::time_point(milliseconds(1714566896789));
  row.id = "req_1";
  row.client = "10.0.0.7";
  row.method = "POST";
  row.path = "/v1/chat/completions";
  row.route = "default";
  row.provider = "openai";
  row.model = "smart";
  row.upstream_model = "gpt-4o";
  row.status = 200;
  row.outcome = "ok";
  row.stream = true;
  row.duration = microseconds(1'234'567);
  row.first_token = microseconds(345'006);
  row.bytes_in = 512;
  row.bytes_out = 20'480;
  row.tokens = {100, 20, 40, 5, false};
  row.cost = 0.00001234;
  EXPECT_EQ(
      line_of(row),
      R"({"time":"2024-05-01T12:34:56.789Z","id":"req_1","client":"10.0.0.7","method":"POST",)"
      R"("path":"/v1/chat/completions","route":"default","provider":"openai","model":"smart",)"
      R"("upstream_model":"gpt-4o","status":200,"outcome":"ok","code":null,"stream":true,"duration_ms":1234.567,)"
      R"("first_token_ms":345.006,"bytes_in":512,"bytes_out":20480,)"
      R"("tokens":{"prompt":100,"completion":20,"cached":40,"reasoning":5,"estimated":false},"cost_usd":0.000012340})"
      "\n");
}

TEST(AccessRow, WhatIsUnknownIsNull) {
  const boost::json::object object = boost::json::parse(line_of({})).as_object();
  for (const char* key : {"id", "client", "method", "path", "route", "provider", "model", "upstream_model", "status",
                          "outcome", "code", "first_token_ms", "tokens", "cost_usd"}) {
    EXPECT_TRUE(object.at(key).is_null()) << key;
  }
  EXPECT_EQ(object.at("duration_ms"), 0.0);
  EXPECT_EQ(object.size(), 19u);
}

TEST(AccessRow, AnythingAClientSendsStaysOneLineOfJson) {
  AccessRow row;
  row.path = "/a\"b\\c\n\r\t\x01\x7f";
  row.model = "caf\xc3\xa9 \xe4\xbd\xa0 \xf0\x9f\x98\x80";
  row.method = "\xff\xc3(\xe4\xbd";
  const std::string line = line_of(row);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const boost::json::object object = boost::json::parse(line).as_object();
  EXPECT_EQ(object.at("path").as_string(), "/a\"b\\c\n\r\t\x01\x7f");
  EXPECT_EQ(object.at("model").as_string(), row.model);
  EXPECT_EQ(object.at("method").as_string(), "\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(AccessRow, NegativeTimesAndOldDatesDoNoHarm) {
  AccessRow row;
  row.time = std::chrono::system_clock::time_point(milliseconds(-1));
  row.duration = milliseconds(-5);
  EXPECT_NO_THROW(boost::json::parse(line_of(row)));
  EXPECT_THAT(line_of(row), HasSubstr("\"duration_ms\":0.000"));
  EXPECT_THAT(line_of(row), HasSubstr("\"time\":\"1969-12-31T23:59:59.999Z\""));
}

}  // namespace
}  // namespace sluice::telemetry
