#include "telemetry/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>

#include <latch>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "telemetry/upstream_metrics.h"

namespace sluice::telemetry {
namespace {

using std::chrono::milliseconds;
using testing::Each;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Settlement settlement(std::string_view model = "gpt-4o", std::string_view outcome = "ok") {
  Settlement settled;
  settled.route = "default";
  settled.provider = "openai";
  settled.model = model;
  settled.outcome = outcome;
  settled.model_known = true;
  settled.duration = milliseconds(300);
  return settled;
}

std::vector<std::string> lines_of(const Metrics& metrics, std::string_view prefix) {
  std::istringstream page(metrics.render());
  std::vector<std::string> lines;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with(prefix)) lines.push_back(line);
  }
  return lines;
}

TEST(Metrics, CountsAnExchangeUnderItsLabels) {
  Metrics metrics("1.2.3");
  metrics.settle(settlement());
  metrics.settle(settlement());
  metrics.settle(settlement("gpt-4o", "client_gone"));
  const std::string page = metrics.render();
  EXPECT_THAT(page, HasSubstr("# TYPE sluice_requests_total counter"));
  EXPECT_THAT(
      page,
      HasSubstr("sluice_requests_total{route=\"default\",provider=\"openai\",model=\"gpt-4o\",outcome=\"ok\"} 2"));
  EXPECT_THAT(
      page,
      HasSubstr(
          "sluice_requests_total{route=\"default\",provider=\"openai\",model=\"gpt-4o\",outcome=\"client_gone\"} 1"));
}

TEST(Metrics, EveryNameBeginsWithSluice) {
  Metrics metrics("1.2.3");
  metrics.settle(settlement());
  std::istringstream page(metrics.render());
  for (std::string line; std::getline(page, line);) {
    EXPECT_TRUE(line.starts_with("sluice_") || line.starts_with("# HELP sluice_") || line.starts_with("# TYPE sluice_"))
        << line;
  }
}

TEST(Metrics, TimesFallIntoBuckets) {
  Metrics metrics("1");
  Settlement settled = settlement();
  settled.first_token = milliseconds(80);
  metrics.settle(settled);
  settled.duration = std::chrono::hours(1);
  metrics.settle(settled);
  const std::string page = metrics.render();
  const std::string labels = "{provider=\"openai\",model=\"gpt-4o\"";
  EXPECT_THAT(page, HasSubstr("sluice_request_duration_seconds_bucket" + labels + ",le=\"0.16\"} 0"));
  EXPECT_THAT(page, HasSubstr("sluice_request_duration_seconds_bucket" + labels + ",le=\"0.32\"} 1"));
  EXPECT_THAT(page, HasSubstr("sluice_request_duration_seconds_bucket" + labels + ",le=\"163.84\"} 1"));
  EXPECT_THAT(page, HasSubstr("sluice_request_duration_seconds_bucket" + labels + ",le=\"+Inf\"} 2"));
  EXPECT_THAT(page, HasSubstr("sluice_request_duration_seconds_count" + labels + "} 2"));
  EXPECT_THAT(page, HasSubstr("sluice_request_duration_seconds_sum" + labels + "} 3600.3"));
  EXPECT_THAT(page, HasSubstr("sluice_first_token_seconds_bucket" + labels + ",le=\"0.1\"} 2"));
  EXPECT_THAT(page, Not(HasSubstr("sluice_between_token_seconds_bucket")));
}

TEST(Metrics, PausesBetweenTokensAreCountedOneByOne) {
  Gaps gaps;
  TimePoint now = Clock::now();
  gaps.note(now);
  for (const int pause : {3, 3, 700}) gaps.note(now += milliseconds(pause));
  Metrics metrics("1");
  Settlement settled = settlement();
  settled.gaps = &gaps;
  metrics.settle(settled);
  const std::string page = metrics.render();
  const std::string labels = "{provider=\"openai\",model=\"gpt-4o\"";
  EXPECT_THAT(page, HasSubstr("sluice_between_token_seconds_bucket" + labels + ",le=\"0.005\"} 2"));
  EXPECT_THAT(page, HasSubstr("sluice_between_token_seconds_bucket" + labels + ",le=\"0.5\"} 2"));
  EXPECT_THAT(page, HasSubstr("sluice_between_token_seconds_bucket" + labels + ",le=\"1\"} 3"));
  EXPECT_THAT(page, HasSubstr("sluice_between_token_seconds_sum" + labels + "} 0.706"));
}

TEST(Metrics, CountsTokensAndMoney) {
  Metrics metrics("1");
  Settlement settled = settlement();
  settled.tokens_known = true;
  settled.prompt = 100;
  settled.cached = 40;
  settled.completion = 20;
  settled.reasoning = 5;
  settled.cost = 0.25;
  settled.bytes_in = 10;
  settled.bytes_out = 1000;
  metrics.settle(settled);
  settled.cost.reset();
  settled.tokens_estimated = true;
  metrics.settle(settled);
  const std::string page = metrics.render();
  const std::string labels = "{provider=\"openai\",model=\"gpt-4o\"";
  EXPECT_THAT(page, HasSubstr("sluice_tokens_total" + labels + ",kind=\"prompt\"} 200"));
  EXPECT_THAT(page, HasSubstr("sluice_tokens_total" + labels + ",kind=\"completion\"} 40"));
  EXPECT_THAT(page, HasSubstr("sluice_tokens_total" + labels + ",kind=\"cached\"} 80"));
  EXPECT_THAT(page, HasSubstr("sluice_tokens_total" + labels + ",kind=\"reasoning\"} 10"));
  EXPECT_THAT(page, HasSubstr("sluice_usage_estimated_total" + labels + "} 1"));
  EXPECT_THAT(page, HasSubstr("sluice_cost_usd_total" + labels + "} 0.25"));
  EXPECT_THAT(page, HasSubstr("sluice_cost_unknown_total" + labels + "} 1"));
  EXPECT_THAT(page, HasSubstr("sluice_received_bytes_total 20"));
  EXPECT_THAT(page, HasSubstr("sluice_sent_bytes_total 2000"));
}

TEST(Metrics, NamesThatNobodyKnowsAreOther) {
  Metrics metrics("1");
  Settlement invented = settlement("invented", "client_error");
  invented.model_known = false;
  metrics.settle(invented);
  EXPECT_THAT(lines_of(metrics, "sluice_requests_total"), Each(HasSubstr("provider=\"openai\",model=\"other\"")));

  // Once the provider has answered it, its failures count under its name.
  metrics.settle(settlement("invented"));
  metrics.settle(invented);
  EXPECT_THAT(metrics.render(), HasSubstr("model=\"invented\",outcome=\"client_error\"} 1"));
}

TEST(Metrics, LabelsAreBounded) {
  Metrics metrics("1", 10);
  for (int i = 0; i < 100; ++i) metrics.settle(settlement("model-" + std::to_string(i)));
  EXPECT_EQ(lines_of(metrics, "sluice_requests_total").size(), 11u);
  EXPECT_THAT(metrics.render(), HasSubstr("{route=\"other\",provider=\"other\",model=\"other\",outcome=\"ok\"} 90"));
  EXPECT_THAT(metrics.render(), HasSubstr("model=\"model-9\",outcome=\"ok\"} 1"));

  for (int i = 0; i < 100; ++i) metrics.connection_refused("reason-" + std::to_string(i));
  EXPECT_EQ(lines_of(metrics, "sluice_connections_refused_total").size(), 11u);
  EXPECT_THAT(metrics.render(), HasSubstr("sluice_connections_refused_total{reason=\"other\"} 90"));
}

TEST(Metrics, ABadLabelDoesNotSpoilThePage) {
  Metrics metrics("1");
  metrics.settle(
      settlement("a\xff\xfe"
                 "b\n\"c\\"));
  metrics.settle(settlement("a__b_\"c\\"));
  metrics.settle(settlement(std::string(100'000, 'x')));
  const std::vector<std::string> lines = lines_of(metrics, "sluice_requests_total");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_THAT(lines[0], HasSubstr(R"(model="a__b_\"c\\",outcome="ok"} 2)"));
  EXPECT_THAT(lines[1], HasSubstr("model=\"other\""));
}

TEST(Metrics, ThreadsCountTogetherAndTheirCountsOutliveThem) {
  Metrics metrics("1", 8);
  constexpr int threads = 4;
  constexpr int rounds = 2000;
  std::latch start(threads + 1);
  std::vector<std::thread> workers;
  for (int t = 0; t < threads; ++t) {
    workers.emplace_back([&, t] {
      start.arrive_and_wait();
      for (int i = 0; i < rounds; ++i) {
        metrics.exchange_began();
        metrics.settle(settlement(i % 2 == 0 ? "shared" : "own-" + std::to_string(t)));
        metrics.settle(settlement("many-" + std::to_string(i % 50)));
        metrics.connection_opened("0.0.0.0:8080");
        metrics.exchange_ended();
      }
    });
  }
  start.arrive_and_wait();
  for (int i = 0; i < 20; ++i) EXPECT_THAT(metrics.render(), HasSubstr("sluice_build_info"));
  for (std::thread& worker : workers) worker.join();
  const std::string page = metrics.render();
  EXPECT_THAT(page, HasSubstr("sluice_request_duration_seconds_count"));
  EXPECT_THAT(page, HasSubstr("sluice_streams 0\n"));
  EXPECT_THAT(page, HasSubstr("sluice_connections{listener=\"0.0.0.0:8080\"} 8000"));
  double all = 0;
  for (const std::string& line : lines_of(metrics, "sluice_requests_total"))
    all += std::stod(line.substr(line.rfind(' ')));
  EXPECT_EQ(all, threads * rounds * 2);
}

TEST(Metrics, AThreadMayCountIntoSeveralAndOutliveThem) {
  for (int i = 0; i < 3; ++i) {
    Metrics one("1");
    Metrics two("1");
    one.settle(settlement());
    two.settle(settlement());
    two.settle(settlement());
    EXPECT_THAT(one.render(), HasSubstr("outcome=\"ok\"} 1"));
    EXPECT_THAT(two.render(), HasSubstr("outcome=\"ok\"} 2"));
  }
}

TEST(Metrics, TellsOfConnectionsReloadsAndTheProcess) {
  Metrics metrics("1.2.3");
  metrics.connection_opened("a:1");
  metrics.connection_opened("a:1");
  metrics.connection_closed("a:1");
  metrics.connection_refused("too_many");
  metrics.rejected_request("obs_fold");
  metrics.loop_lag(3, 0.5);
  metrics.access_log_dropped(7);
  metrics.keep_alive_comment();
  metrics.exchange_began();
  std::string page = metrics.render();
  EXPECT_THAT(page, HasSubstr("sluice_connections{listener=\"a:1\"} 1"));
  EXPECT_THAT(page, HasSubstr("sluice_connections_total{listener=\"a:1\"} 2"));
  EXPECT_THAT(page, HasSubstr("sluice_connections_refused_total{reason=\"too_many\"} 1"));
  EXPECT_THAT(page, HasSubstr("sluice_rejected_requests_total{reason=\"obs_fold\"} 1"));
  EXPECT_THAT(page, HasSubstr("sluice_loop_lag_seconds{worker=\"3\"} 0.5"));
  EXPECT_THAT(page, HasSubstr("sluice_access_log_dropped_total 7"));
  EXPECT_THAT(page, HasSubstr("sluice_keep_alive_comments_total 1"));
  EXPECT_THAT(page, HasSubstr("sluice_streams 1"));
  EXPECT_THAT(page, HasSubstr("sluice_draining 0"));
  EXPECT_THAT(page, HasSubstr("sluice_build_info{version=\"1.2.3\"} 1"));
  EXPECT_THAT(page, HasSubstr("sluice_reloads_total{outcome=\"failed\"} 0"));
  EXPECT_THAT(page, HasSubstr("sluice_config_last_reload_success 1"));

  metrics.reloaded(false);
  metrics.draining(true);
  page = metrics.render();
  EXPECT_THAT(page, HasSubstr("sluice_reloads_total{outcome=\"failed\"} 1"));
  EXPECT_THAT(page, HasSubstr("sluice_config_last_reload_success 0"));
  EXPECT_THAT(page, HasSubstr("sluice_draining 1"));
}

TEST(UpstreamMetrics, CountsConnectionsByProviderAndState) {
  Metrics metrics("1");
  UpstreamMetrics upstream(metrics);
  upstream.name("https://api.openai.com:443", "openai");
  upstream.name("https://api.openai.com:443", "same-under-another-name");
  const auto connections = [&](std::string_view state) {
    return metrics.upstream_connections("openai", state).Value();
  };

  upstream.connection_opened("https://api.openai.com:443");
  EXPECT_EQ(connections("active"), 1);
  upstream.idle_changed("https://api.openai.com:443", 1);
  EXPECT_EQ(connections("active"), 0);
  EXPECT_EQ(connections("idle"), 1);
  upstream.idle_changed("https://api.openai.com:443", -1);
  upstream.connection_closed("https://api.openai.com:443");
  EXPECT_EQ(connections("active"), 0);
  EXPECT_EQ(connections("idle"), 0);

  upstream.connection_failed("https://api.openai.com:443", {ErrorKind::tls, ErrorSource::upstream, Retryable::yes, ""});
  EXPECT_EQ(metrics.upstream_connects("openai", "ok").Value(), 1);
  EXPECT_EQ(metrics.upstream_connects("openai", "tls_failed").Value(), 1);
  upstream.connection_opened("http://unnamed:80");
  EXPECT_EQ(metrics.upstream_connections("http://unnamed:80", "active").Value(), 1);
}

}  // namespace
}  // namespace sluice::telemetry
