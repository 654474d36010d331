#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/task.h"
#include "http/body.h"
#include "http/message.h"
#include "provider/mock/complaint.h"

/// Bodies of any size, up and down, of which only a block is ever held.
namespace sluice::mock {

struct Upload {
  std::uint64_t bytes = 0;
  std::string sha256;
};
/// Reads a body to its end and forgets it.
Task<Result<Upload>> consume(http::Body* body);

/// What an endpoint says to an upload: a file object, a transcription, a picture, with `bytes` and `sha256` of the
/// body; or speech, which is bytes as of `content_response`.
http::Response upload_response(const http::RequestHead& head, const Upload& upload);

/// Lines of 64 bytes: the line's number in 16 hexadecimal digits, the file's id in as many, a fixed text, LF. So lost,
/// repeated and mixed-up bytes show.
std::unique_ptr<http::Body> make_content(std::string_view id, std::uint64_t bytes);

/// As many bytes as the query `bytes=` wants, else 1 MiB.
http::Response content_response(const http::RequestHead& head, std::string_view id, std::string_view type);

}  // namespace sluice::mock
