#pragma once

#include <cstddef>
#include <string>

#include "base/error.h"

namespace sluice {

/// The whole content of a regular file (also through links) of at most `limit` bytes. Blocks. Fails with
/// ErrorKind::config; the text gives only the reason ("No such file or directory"): callers know how to name the file.
Result<std::string> read_file(const std::string& path, std::size_t limit);

}  // namespace sluice
