#include "gateway/commands.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "gateway/config/load.h"
#include "gateway/mock_command.h"
#include "gateway/process.h"
#include "gateway/version.h"

namespace sluice {
namespace {

constexpr int wrong_command_line = 2;
constexpr const char* default_file = "sluice.yaml";

/// Without -c the file in the working directory is used if there is one, else the environment.
std::string chosen_file(const std::string& given) {
  if (!given.empty()) return given;
  return ::access(default_file, F_OK) == 0 ? default_file : "";
}

int check(const std::string& file) {
  const Environment environment = process_environment();
  if (file.empty()) {
    const Config config = config_from_environment(environment);
    fmt::print("no file given and no {} here: {} provider(s) found in the environment\n", default_file,
               config.providers.size());
    return 0;
  }
  const LoadedConfig loaded = load_config_file(file, environment);
  for (const Problem& problem : loaded.problems) fmt::print(stderr, "{}\n", problem.to_string());
  if (!loaded) return 1;
  for (const std::string& note : loaded.config->notes) fmt::print("note: {}\n", note);
  fmt::print("{}: ok\n", file);
  return 0;
}

}  // namespace

int run_command_line(int argc, char** argv) {
  CLI::App app{"Sluice: an AI gateway. One program between applications and large language models."};
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string(version));

  ConfigSource source;
  std::string file;
  CLI::App* serve_command = app.add_subcommand("serve", "run the gateway");
  serve_command->add_option(
      "-c,--config", file,
      "configuration file (default: ./sluice.yaml, else providers found by their environment keys)");
  serve_command->add_option("--listen", source.listen, "listen here instead of where the file says (host:port)");
  serve_command->add_option("--admin", source.admin, "admin address instead of the file's (host:port, or off)");

  bool schema = false;
  bool reference = false;
  CLI::App* check_command = app.add_subcommand("check", "validate a configuration; exit 1 if it has problems");
  check_command->add_option("-c,--config", file, "configuration file");
  check_command->add_flag("--schema", schema, "print the JSON Schema of the file, for editors");
  check_command->add_flag("--reference", reference, "print the reference page in Markdown");

  MockCommand mock;
  CLI::App* mock_command =
      app.add_subcommand("mock", "run a deterministic model server with latency and faults on demand");
  add_mock_options(*mock_command, mock);

  CLI::App* version_command = app.add_subcommand("version", "print the version");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : wrong_command_line;
  }

  if (version_command->parsed()) return fmt::print("sluice {}\n", version), 0;
  if (check_command->parsed() && (schema || reference)) {
    return fmt::print("{}", schema ? config_json_schema() : config_reference()), 0;
  }
  if (check_command->parsed()) return check(chosen_file(file));
  if (mock_command->parsed()) return serve_mock(mock);
  source.path = chosen_file(file);
  source.environment = process_environment();
  return serve(std::move(source));
}

}  // namespace sluice
