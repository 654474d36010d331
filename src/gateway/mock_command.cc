#include "gateway/mock_command.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <signal.h>

#include "base/units.h"
#include "gateway/control_loop.h"
#include "gateway/process.h"
#include "http/server.h"
#include "llm/dialect/openai/errors.h"
#include "net/listener.h"
#include "net/signals.h"
#include "provider/mock/mock_server.h"

namespace sluice {
namespace {

class MockHandler final : public http::Handler {
 public:
  explicit MockHandler(const MockOptions& options) : server_(options) {}
  Task<http::Response> handle(http::Request& request) override { return server_.handle(std::move(request)); }
  http::Response fail(int status, const Error& error) override {
    return http::make_response(status, "application/json", llm::openai::error_body(error));
  }

 private:
  mock::MockServer server_;
};

/// A server with one handler on one loop, ended by a signal.
class MockProcess {
 public:
  explicit MockProcess(const MockCommand& command) : handler_(command.options) {}

  Result<void> start(const std::string& address) {
    if (Result<void> unused = net::Listener::check_free(address); !unused) return unused;
    Result<int> descriptor = net::Listener::bind(address);
    if (!descriptor) return forward(descriptor);
    const std::string actual = net::Listener::local_address(*descriptor);
    auto accept = [this, actual](int client) { server_.accept(client, nullptr, actual); };
    listener_ = std::make_unique<net::Listener>(*descriptor, accept, [](std::string_view) {});
    signals_.emplace({SIGTERM, SIGINT}, [this](int) { stop(); });
    fmt::print("mock model server on http://{}/v1\n", actual);
    std::fflush(stdout);
    return {};
  }

 private:
  void stop() {
    listener_.reset();
    signals_.reset();
    server_.on_empty([] { net::Worker::current().stop(); });
    server_.drain();
    server_.close_all();
  }

  MockHandler handler_;
  http::Unobserved observer_;
  http::ConnectionGauge gauge_;
  http::Server server_{handler_, observer_, gauge_, std::make_shared<http::ServerSettings>()};
  std::unique_ptr<net::Listener> listener_;
  std::optional<net::Signals> signals_;
};

void add_duration(CLI::App& app, const std::string& name, Duration& target, const std::string& help) {
  auto parse = [&target](const std::string& text) {
    const auto parsed = units::parse_duration(text);
    if (!parsed) throw CLI::ValidationError(text + " is no duration such as 200ms");
    target = *parsed;
  };
  app.add_option_function<std::string>(name, parse, help);
}

}  // namespace

void add_mock_options(CLI::App& app, MockCommand& command) {
  MockOptions& options = command.options;
  app.add_option("--listen", command.listen, "address (host:port)")->capture_default_str();
  app.add_option("--seed", options.seed, "same seed, same question: same answer")->capture_default_str();
  add_duration(app, "--first-token", options.first_token, "before the first token, such as 200ms");
  add_duration(app, "--between-tokens", options.between_tokens, "between two tokens, such as 20ms");
  app.add_option("--tokens", options.tokens, "length of each answer; 0: what comes naturally")->capture_default_str();
  app.add_option("--models", options.models, "what /v1/models lists")->delimiter(',');
  app.add_option("--fault-rate", options.fault_rate, "share of requests that go wrong, 0 to 1")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--faults", options.faults, "how, as x-mock-fault spells it; one is chosen")->delimiter(',');
}

int serve_mock(const MockCommand& command) {
  prepare_process();
  set_up_log("info");
  return run_control_loop<MockProcess>([&command]() -> Result<std::unique_ptr<MockProcess>> {
    std::unique_ptr<MockProcess> process;
    try {
      process = std::make_unique<MockProcess>(command);
    } catch (const std::invalid_argument& error) {
      return fail(ErrorKind::config, ErrorSource::gateway, error.what());
    }
    if (Result<void> started = process->start(command.listen); !started) return forward(started);
    return process;
  });
}

}  // namespace sluice
