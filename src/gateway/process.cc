#include "gateway/process.h"

#include <fmt/format.h>
#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <optional>

#include "gateway/admin.h"
#include "gateway/banner.h"
#include "gateway/config_watch.h"
#include "gateway/control_loop.h"
#include "gateway/gateway.h"
#include "gateway/version.h"
#include "net/listener.h"
#include "net/signals.h"

namespace sluice {
namespace {

constexpr auto handled_signals = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
constexpr int signal_base = 128;

/// Everything of one `sluice serve` that lives on the control thread.
class Process {
 public:
  Process(ConfigSource source, GatewayShared& shared)
      : source_(source), shared_(shared), control_(net::Worker::current()), gateway_(std::move(source), shared) {}

  Result<void> start(Config config) {
    const std::string admin = config.admin;
    if (Result<void> listening = listen_admin(admin); !listening) return listening;
    if (Result<void> started = gateway_.start(std::move(config)); !started) return started;
    signals_.emplace(handled_signals, [this](int signal) { on_signal(signal); });
    if (source_.is_file()) {
      watch_ = std::make_unique<ConfigWatch>(source_.path, [this] { control_.post([this] { reload("file"); }); });
    }
    print_banner();
    return {};
  }

  int status() const { return status_; }

 private:
  Result<void> listen_admin(const std::string& address) {
    if (address == "off") return {};
    if (Result<void> unused = net::Listener::check_free(address); !unused) return unused;
    Result<int> descriptor = net::Listener::bind(address);
    if (!descriptor) return forward(descriptor);
    admin_address_ = net::Listener::local_address(*descriptor);
    auto accept = [this](int client) { admin_server_.accept(client, nullptr, admin_address_); };
    admin_listener_ = std::make_unique<net::Listener>(*descriptor, accept, [](std::string_view) {});
    return {};
  }

  void print_banner() {
    Config shown = gateway_.snapshot().config;
    if (admin_listener_) shown.admin = admin_address_;
    fmt::print("{}", banner(shown, std::string(version)));
    std::fflush(stdout);
    for (const std::string& note : shown.notes) spdlog::info("{}", note);
  }

  void reload(std::string_view cause) {
    if (!gateway_.draining()) gateway_.reload(cause);
  }

  void on_signal(int signal) {
    if (signal == SIGHUP) return reload("signal");
    if (signal == SIGUSR1) return shared_.access_log.reopen();
    if (gateway_.draining()) {
      spdlog::warn("second signal: ending at once");
      std::fflush(nullptr);
      ::_exit(signal_base + signal);
    }
    spdlog::info("draining for at most {}s; a second signal ends at once", seconds(gateway_.snapshot().config.drain));
    gateway_.drain([this] { stop(); });
  }

  void stop() {
    spdlog::info("drained");
    watch_.reset();
    signals_.reset();
    admin_listener_.reset();
    admin_server_.close_all();
    control_.stop();
  }

  static std::shared_ptr<const http::ServerSettings> admin_settings() {
    auto settings = std::make_shared<http::ServerSettings>();
    settings->enforce_connection_limits = false;
    return settings;
  }

  ConfigSource source_;
  GatewayShared& shared_;
  net::Worker& control_;
  Gateway gateway_;
  AdminHandler admin_handler_{gateway_, shared_.metrics};
  http::Unobserved unobserved_;  // the admin listener's own connections are in no metric
  http::Server admin_server_{admin_handler_, unobserved_, shared_.connections, admin_settings()};
  std::unique_ptr<net::Listener> admin_listener_;
  std::string admin_address_;
  std::optional<net::Signals> signals_;
  std::unique_ptr<ConfigWatch> watch_;
  int status_ = 0;
};

}  // namespace

void prepare_process() {
  net::Signals::block(handled_signals);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

void set_up_log(const std::string& level) {
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("sluice", sink));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  spdlog::set_level(spdlog::level::from_str(level));
}

int serve(ConfigSource source) {
  prepare_process();
  LoadedConfig loaded = source.load();
  for (const Problem& problem : loaded.problems) fmt::print(stderr, "{}\n", problem.to_string());
  if (!loaded) return start_failed;
  set_up_log(loaded.config->telemetry.log_level);

  try {
    telemetry::Metrics metrics(version);
    telemetry::AccessLog access_log(loaded.config->telemetry.access_log.target(), metrics);
    http::ConnectionGauge connections;
    GatewayShared shared{metrics, access_log, connections};
    return run_control_loop<Process>([&]() -> Result<std::unique_ptr<Process>> {
      auto process = std::make_unique<Process>(std::move(source), shared);
      if (Result<void> started = process->start(std::move(*loaded.config)); !started) return forward(started);
      return process;
    });
  } catch (const std::exception& error) {
    fmt::print(stderr, "sluice: {}\n", error.what());
    return start_failed;
  }
}

}  // namespace sluice
