#pragma once

namespace sluice {

/// The command line: `serve`, `check`, `mock`, `version`. Gives the exit status: 0 done, 1 the configuration or the
/// start failed, 2 the command line is wrong, 128 + N ended by a second signal N.
int run_command_line(int argc, char** argv);

}  // namespace sluice
