#pragma once

#include <string>

#include "provider/config.h"

namespace CLI {
class App;
}

namespace sluice {

/// `sluice mock`: the built-in model server on an address of its own, for testing applications without a provider.
struct MockCommand {
  std::string listen = "127.0.0.1:8081";
  MockOptions options;
};

/// Declares the command's options; they are filled in when the command line is parsed.
void add_mock_options(CLI::App& app, MockCommand& command);

/// Serves until SIGTERM or SIGINT; the exit status.
int serve_mock(const MockCommand& command);

}  // namespace sluice
