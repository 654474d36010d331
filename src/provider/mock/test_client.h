#pragma once

#include <simdjson.h>

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/message.h"
#include "http/sse.h"
#include "net/worker.h"
#include "provider/mock/mock_server.h"

/// For the tests of the mock: asks it as an HTTP server would, on a loop of its own.
namespace sluice::mock {

using FieldList = std::initializer_list<std::pair<std::string_view, std::string_view>>;

inline http::Request request(std::string_view method, std::string_view target, std::string body = {},
                             FieldList fields = {}) {
  http::Request made;
  made.head.method = method;
  made.head.target = target;
  made.head.fields.add("content-type", "application/json");
  for (const auto& [name, value] : fields) made.head.fields.set(name, value);
  if (!body.empty()) made.body = std::make_unique<http::StringBody>(std::move(body));
  return made;
}

struct Got {
  int status = 0;
  http::Fields fields;
  std::string text;
  std::vector<std::string> pieces;
  std::optional<std::uint64_t> length;
  std::optional<Error> error;

  /// The data of each event.
  std::vector<std::string> events() const {
    std::vector<std::string> all;
    http::SseSplitter splitter;
    const auto collect = [&all](const http::SseEvent& event) { all.emplace_back(event.data); };
    splitter.feed(text, collect);
    return all;
  }
};

inline Task<void> fetch(MockServer& server, http::Request asked, Got& got) {
  http::Response response = co_await server.handle(std::move(asked));
  got.status = response.status;
  got.fields = std::move(response.fields);
  got.length = response.body ? response.body->length() : 0;
  while (response.body) {
    const Result<std::string_view> piece = co_await response.body->read();
    if (!piece) got.error = piece.error();
    if (!piece || piece->empty()) break;
    got.pieces.emplace_back(*piece);
    got.text += *piece;
  }
}

inline Got ask(MockServer& server, http::Request asked) {
  Got got;
  net::run_until_done(fetch(server, std::move(asked), got));
  return got;
}

inline Got chat(MockServer& server, std::string body, FieldList fields = {}) {
  return ask(server, request("POST", "/v1/chat/completions", std::move(body), fields));
}

/// Reads values of a JSON text by JSON pointer: `Doc(text).text("/choices/0/message/content")`.
class Doc {
 public:
  explicit Doc(std::string_view text) : padded_(text) { root_ = parser_.parse(padded_); }

  bool valid() { return root_.error() == simdjson::SUCCESS; }
  std::string text(std::string_view pointer) {
    std::string_view value;
    return root_.at_pointer(pointer).get(value) ? "(no text at " + std::string(pointer) + ")" : std::string(value);
  }
  std::int64_t number(std::string_view pointer) {
    std::int64_t value = 0;
    return root_.at_pointer(pointer).get(value) ? -1 : value;
  }
  /// The value as JSON.
  std::string json(std::string_view pointer) {
    simdjson::dom::element value;
    return root_.at_pointer(pointer).get(value) ? "" : simdjson::minify(value);
  }
  bool has(std::string_view pointer) { return root_.at_pointer(pointer).error() == simdjson::SUCCESS; }
  std::size_t size(std::string_view pointer) {
    simdjson::dom::array list;
    return root_.at_pointer(pointer).get(list) ? 0 : list.size();
  }

 private:
  simdjson::padded_string padded_;
  simdjson::dom::parser parser_;
  simdjson::simdjson_result<simdjson::dom::element> root_;
};

}  // namespace sluice::mock
