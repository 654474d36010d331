#include "provider/mock/files.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>

#include "base/block_pool.h"
#include "base/hash.h"
#include "base/units.h"
#include "http/url.h"
#include "provider/mock/answer.h"
#include "provider/mock/digest.h"

namespace sluice::mock {
namespace {

constexpr std::uint64_t usual_content = 1 << 20;
constexpr std::size_t line_bytes = 64;
constexpr std::string_view line_text = " sluice mock file content 0123\n";
static_assert(16 + 1 + 16 + line_text.size() == line_bytes);

/// A picture of one transparent pixel.
constexpr std::string_view pixel =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

void write_hex(char* to, std::uint64_t value) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (int i = 15; i >= 0; --i, value >>= 4) to[i] = digits[value & 15];
}

class ContentBody final : public http::Body {
 public:
  ContentBody(std::string_view id, std::uint64_t bytes) : id_(hash::of(id)), bytes_(bytes) {}

  Task<Result<std::string_view>> read() override {
    if (given_ == bytes_) {
      block_.release();
      co_return std::string_view();
    }
    if (!block_) block_ = Block::acquire();
    for (std::size_t at = 0; at < Block::size(); at += line_bytes) write_line(block_.data() + at);
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(Block::size(), bytes_ - given_));
    given_ += size;
    co_return std::string_view(block_.data(), size);
  }
  std::optional<std::uint64_t> length() const override { return bytes_; }

 private:
  void write_line(char* to) {
    write_hex(to, line_++);
    to[16] = ' ';
    write_hex(to + 17, id_);
    std::memcpy(to + 33, line_text.data(), line_text.size());
  }

  std::uint64_t id_;
  std::uint64_t bytes_;
  std::uint64_t given_ = 0;
  std::uint64_t line_ = 0;
  Block block_;
};

}  // namespace

Task<Result<Upload>> consume(http::Body* body) {
  Digest digest;
  Upload upload;
  while (body) {
    Result<std::string_view> piece = co_await body->read();
    if (!piece) co_return forward(piece);
    if (piece->empty()) break;
    digest.feed(*piece);
    upload.bytes += piece->size();
  }
  upload.sha256 = digest.finish();
  co_return upload;
}

http::Response upload_response(const http::RequestHead& head, const Upload& upload) {
  const std::string_view path = head.path();
  if (path == "/v1/audio/speech") return content_response(head, "speech", "audio/mpeg");
  const std::string counts = fmt::format(R"("bytes":{},"sha256":"{}")", upload.bytes, upload.sha256);
  std::string text;
  if (path.starts_with("/v1/audio/")) {
    text = fmt::format(R"({{"text":"A recording of {} bytes.",{}}})", upload.bytes, counts);
  } else if (path.starts_with("/v1/images/")) {
    text = fmt::format(R"({{"created":{},"data":[{{"b64_json":"{}"}}],{}}})", created, pixel, counts);
  } else {
    text = fmt::format(
        R"({{"id":"file-mock{}","object":"file",{},"created_at":{},"filename":"upload","purpose":"user_data","status":"processed"}})",
        upload.sha256.substr(0, 16), counts, created);
  }
  return http::make_response(200, "application/json", std::move(text));
}

std::unique_ptr<http::Body> make_content(std::string_view id, std::uint64_t bytes) {
  return std::make_unique<ContentBody>(id, bytes);
}

http::Response content_response(const http::RequestHead& head, std::string_view id, std::string_view type) {
  std::uint64_t bytes = usual_content;
  if (const auto wanted = http::query_value(head.query(), "bytes")) {
    const auto parsed = units::parse_size(*wanted);
    if (!parsed) return refusal(complain("Invalid 'bytes': a number, or a size such as 1GiB.", "bytes").value());
    bytes = *parsed;
  }
  http::Response response;
  response.fields.add("content-type", type);
  response.body = make_content(id, bytes);
  return response;
}

}  // namespace sluice::mock
