#include "pipeline/settle.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "telemetry/access_log.h"
#include "telemetry/metrics.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

ExchangeRecord finished_stream() {
  ExchangeRecord record;
  record.id = "req_1";
  record.method = "POST";
  record.path = "/v1/chat/completions?key=sk-secret";
  record.client = "10.0.0.7";
  record.route = "team";
  record.provider = "openai";
  record.model = "smart";
  record.upstream_model = "gpt-4o";
  record.status = 200;
  record.stream = true;
  record.first_token = record.started + milliseconds(30);
  record.ended = record.started + milliseconds(700);
  record.gaps.note(record.first_token);
  record.gaps.note(record.first_token + milliseconds(20));
  record.bytes_out = 99;
  record.usage.known = true;
  record.usage.prompt = 7;
  record.usage.completion = 3;
  record.cost = 0.5;
  return record;
}

TEST(Settle, CountsEverythingOnce) {
  telemetry::Metrics metrics("1");
  settle(finished_stream(), metrics, nullptr);
  const std::string page = metrics.render();
  EXPECT_THAT(page,
              HasSubstr("sluice_requests_total{route=\"team\",provider=\"openai\",model=\"smart\",outcome=\"ok\"} 1"));
  const std::string labels = "{provider=\"openai\",model=\"smart\"";
  EXPECT_THAT(page, HasSubstr("sluice_request_duration_seconds_sum" + labels + "} 0.7"));
  EXPECT_THAT(page, HasSubstr("sluice_first_token_seconds_sum" + labels + "} 0.03"));
  EXPECT_THAT(page, HasSubstr("sluice_between_token_seconds_sum" + labels + "} 0.02"));
  EXPECT_THAT(page, HasSubstr("sluice_tokens_total" + labels + ",kind=\"prompt\"} 7"));
  EXPECT_THAT(page, HasSubstr("sluice_cost_usd_total" + labels + "} 0.5"));
  EXPECT_THAT(page, HasSubstr("sluice_cost_unknown_total" + labels + "} 0"));
}

TEST(Settle, AnUnknownPriceIsNotFree) {
  telemetry::Metrics metrics("1");
  ExchangeRecord record = finished_stream();
  record.cost.reset();
  settle(record, metrics, nullptr);
  EXPECT_THAT(metrics.render(), HasSubstr("sluice_cost_unknown_total{provider=\"openai\",model=\"smart\"} 1"));
}

TEST(Settle, AnInventedModelThatWasRefusedMakesNoLabel) {
  telemetry::Metrics metrics("1");
  ExchangeRecord record = finished_stream();
  record.model = "invented";
  record.status = 404;
  record.outcome = Outcome::client_error;
  settle(record, metrics, nullptr);
  EXPECT_THAT(metrics.render(), Not(HasSubstr("invented")));
  record.model_known = true;
  settle(record, metrics, nullptr);
  EXPECT_THAT(metrics.render(), HasSubstr("model=\"invented\",outcome=\"client_error\"} 1"));
}

TEST(Settle, WritesTheLineWithoutTheQuery) {
  std::string folder = testing::TempDir() + "settle_XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  telemetry::Metrics metrics("1");
  {
    telemetry::AccessLog log(folder + "/access.log", metrics);
    ExchangeRecord record = finished_stream();
    record.outcome = Outcome::broken;
    record.error_code = "truncated";
    record.error_text = "not in the log";
    settle(record, metrics, &log);
  }
  std::string line;
  std::ifstream file(folder + "/access.log");
  std::getline(file, line);
  std::filesystem::remove_all(folder);
  EXPECT_THAT(line, Not(HasSubstr("secret")));
  const boost::json::object object = boost::json::parse(line).as_object();
  EXPECT_EQ(object.at("path"), "/v1/chat/completions");
  EXPECT_EQ(object.at("outcome"), "broken");
  EXPECT_EQ(object.at("code"), "truncated");
  EXPECT_EQ(object.at("duration_ms"), 700.0);
  EXPECT_EQ(object.at("first_token_ms"), 30.0);
  EXPECT_EQ(object.at("tokens").at("completion"), 3);
  EXPECT_EQ(object.at("cost_usd"), 0.5);
}

}  // namespace
}  // namespace sluice
