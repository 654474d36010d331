#pragma once

#include <string>

#include "gateway/config_source.h"

namespace sluice {

/// `sluice serve`: runs the gateway until SIGTERM or SIGINT and drains; a second one ends it at once. SIGHUP reloads, SIGUSR1 opens
/// the access log again. Gives the exit status: 0 after a drain, 1 if it could not start, 128 + signal if it was ended at once.
int serve(ConfigSource source);

/// `sluice mock`: the built-in model server on an address of its own.
struct MockCommand {
  std::string listen = "127.0.0.1:8081";
  std::size_t workers = 1;
  MockOptions mock;
  std::size_t tokens = 0;
  double fault_rate = 0;
  std::vector<std::string> faults;
};
int serve_mock(const MockCommand& command);

/// Raises the soft limit of open files to the hard one, ignores SIGPIPE and blocks the signals that the loop handles. Before any
/// thread starts.
void prepare_process();

}  // namespace sluice
