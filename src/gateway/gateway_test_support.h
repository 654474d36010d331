#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>

#include "gateway/gateway.h"
#include "net/address.h"
#include "net/connect.h"
#include "net/stream.h"
#include "net/worker.h"

/// For tests: a whole gateway with its file on the loop of the test, and clients on loopback sockets.
namespace sluice::testing_support {

using std::chrono::milliseconds;

/// Only for what is broken: no test is right or wrong by it.
constexpr Duration patience = std::chrono::seconds(20);

class World {
 public:
  explicit World(const std::string& config) {
    std::string pattern = ::testing::TempDir() + "gateway_XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    write(config);
  }
  ~World() {
    gateway.reset();
    std::filesystem::remove_all(directory_);
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  std::string file() const { return directory_ / "sluice.yaml"; }
  void write(const std::string& config) const { std::ofstream(file()) << config; }

  Result<void> start() {
    ConfigSource source;
    source.path = file();
    source.environment = [](std::string_view) { return std::nullopt; };
    LoadedConfig loaded = source.load();
    for (const Problem& problem : loaded.problems) ADD_FAILURE() << problem.to_string();
    gateway = std::make_unique<Gateway>(source, shared_);
    return gateway->start(std::move(*loaded.config));
  }

  const std::string& address(std::size_t index = 0) const { return gateway->addresses().at(index); }
  std::string metrics() const { return metrics_.render(); }
  telemetry::Metrics& counters() { return metrics_; }

  std::unique_ptr<Gateway> gateway;

 private:
  std::filesystem::path directory_;
  telemetry::Metrics metrics_{"test"};
  telemetry::AccessLog access_log_{"off", metrics_};
  http::ConnectionGauge connections_;
  GatewayShared shared_{metrics_, access_log_, connections_};
};

/// Runs `test` on a loop with a gateway of that configuration, which has started.
inline void with_gateway(const std::string& config, std::function<Task<void>(World&)> test) {
  const auto all = [&]() -> Task<void> {
    World world(config);
    const Result<void> started = world.start();
    EXPECT_TRUE(started) << started.error().text;
    if (started) co_await test(world);
  };
  net::run_until_done(all());
}

/// Until `holds` or the patience is over.
inline Task<bool> eventually(std::function<bool()> holds) {
  const TimePoint end = Clock::now() + patience;
  while (!holds() && Clock::now() < end) co_await net::sleep_for(milliseconds(2));
  co_return holds();
}

/// A connection to the gateway; plain bytes.
class Client {
 public:
  Task<bool> connect(std::string address) {
    const auto parsed = net::Address::parse(address);
    target_.host = parsed->host();
    target_.port = parsed->port();
    auto stream = co_await net::connect(target_, Clock::now() + patience);
    if (stream) stream_ = std::move(*stream);
    co_return stream.has_value();
  }
  Task<void> say(std::string text) {
    const Result<void> said = co_await stream_->write(text);
    if (!said) heard_ += fmt::format("<{}>", code_of(said.error().kind));
  }
  /// All that has come, once it holds `text` or the connection has ended.
  Task<std::string> hear(std::string text) {
    std::array<char, 4096> buffer{};
    stream_->set_read_deadline(Clock::now() + patience);
    while (text.empty() || heard_.find(text) == std::string::npos) {
      const Result<std::size_t> got = co_await stream_->read(buffer);
      if (!got) heard_ += fmt::format("<{}>", code_of(got.error().kind));
      if (!got || *got == 0) break;
      heard_.append(buffer.data(), *got);
    }
    co_return heard_;
  }
  Task<std::string> hear_all() { return hear(""); }
  void hang_up() { stream_.reset(); }

 private:
  net::ConnectTarget target_;
  std::unique_ptr<net::Stream> stream_;
  std::string heard_;
};

/// A request that ends its connection.
inline std::string request(std::string_view method, std::string_view target, std::string_view body = {},
                           std::string_view fields = {}) {
  return fmt::format(
      "{} {} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\ncontent-type: application/json\r\n{}content-length: "
      "{}\r\n\r\n{}",
      method, target, fields, body.size(), body);
}

/// A streamed chat of so many tokens with so long between two of them.
inline std::string stream_request(int tokens, std::string_view pause, std::string_view model = "demo/demo-small") {
  const std::string body =
      fmt::format(R"({{"model":"{}","stream":true,"messages":[{{"role":"user","content":"Hello"}}]}})", model);
  return request("POST", "/v1/chat/completions", body,
                 fmt::format("x-mock-tokens: {}\r\nx-mock-between-tokens: {}\r\n", tokens, pause));
}

/// One request and its whole answer.
inline Task<std::string> ask(std::string address, std::string text) {
  Client client;
  if (!co_await client.connect(std::move(address))) co_return "not connected";
  co_await client.say(std::move(text));
  co_return co_await client.hear_all();
}

/// The body of an answer in chunks; what is wrong with its framing otherwise.
inline std::string unchunked(const std::string& answer) {
  std::size_t at = answer.find("\r\n\r\n");
  std::string body;
  for (at += 4; at < answer.size();) {
    const std::size_t line = answer.find("\r\n", at);
    if (line == std::string::npos) return "a chunk without a size after " + body;
    const std::size_t size = std::strtoul(answer.c_str() + at, nullptr, 16);
    if (size == 0) return body;
    body += answer.substr(line + 2, size);
    at = line + 2 + size + 2;
  }
  return "no last chunk after " + body;
}

}  // namespace sluice::testing_support
