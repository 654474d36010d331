#pragma once

#include <string>

#include "gateway/config_source.h"

namespace sluice {

/// `sluice serve`: runs the gateway until SIGTERM or SIGINT and drains; a second one ends it at once. SIGHUP reloads,
/// SIGUSR1 opens the access log again. Gives the exit status: 0 after a drain, 1 if it could not start, 128 + signal if
/// it was ended at once.
int serve(ConfigSource source);

/// Raises the soft limit of open files to the hard one, ignores SIGPIPE and blocks the signals that the loop handles.
/// Before any thread starts.
void prepare_process();

/// Sets the process's diagnostic log up, on standard error.
void set_up_log(const std::string& level);

}  // namespace sluice
