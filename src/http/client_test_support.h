#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "base/task.h"
#include "http/client.h"
#include "http/parser.h"
#include "net/listener.h"
#include "net/socket.h"
#include "net/stream.h"
#include "net/worker.h"

namespace sluice::http::testing {

/// A server on a loopback port: the first connection runs the first script, and so on.
class ScriptedServer {
 public:
  using Script = std::function<Task<void>(net::Stream&)>;

  explicit ScriptedServer(std::vector<Script> scripts) : scripts_(std::move(scripts)) {
    const Result<int> descriptor = net::Listener::bind("127.0.0.1:0");
    EXPECT_TRUE(descriptor.has_value());
    auto accept = [this](int accepted) { serve(accepted); };
    auto refuse = [](std::string_view reason) { ADD_FAILURE() << reason; };
    endpoint_ = make_endpoint(*parse_url("http://" + net::Listener::local_address(*descriptor)), nullptr, {}, {});
    listener_ = std::make_unique<net::Listener>(*descriptor, accept, refuse);
  }

  Endpoint& endpoint() { return endpoint_; }
  std::string_view identity() const { return endpoint_.identity; }
  std::size_t accepted() const { return connections_.size(); }

 private:
  struct Connection {
    std::unique_ptr<net::Stream> stream;
    Task<void> task;
  };

  void serve(int descriptor) {
    ASSERT_LT(connections_.size(), scripts_.size()) << "a connection more than expected";
    const Script& script = scripts_[connections_.size()];
    Connection& connection = connections_.emplace_back();
    connection.stream = std::make_unique<net::Stream>(net::Socket::adopt(descriptor), nullptr, ErrorSource::client);
    connection.task = script(*connection.stream);
    connection.task.start();
  }

  std::vector<Script> scripts_;
  std::list<Connection> connections_;
  Endpoint endpoint_;
  std::unique_ptr<net::Listener> listener_;
};

/// Reads one request to its end and gives its body. Empty if the client has gone.
inline Task<std::string> read_request(net::Stream& stream) {
  RequestParser parser;
  std::string body;
  std::array<char, 4096> buffer;
  std::string_view unread;
  while (true) {
    const Result<ParseStep> step = parser.feed(unread);
    if (!step) co_return "bad request: " + step.error().text;
    unread.remove_prefix(step->consumed);
    body += step->body;
    if (step->state == ParseStep::State::end) co_return body;
    if (step->state != ParseStep::State::need_more) continue;
    const Result<std::size_t> got = co_await stream.read(buffer);
    if (!got || *got == 0) co_return "";
    unread = {buffer.data(), *got};
  }
}

/// Reads until the client ends or resets the connection.
inline Task<void> read_to_end(net::Stream& stream) {
  std::vector<char> buffer(64 * 1024);
  while (true) {
    const Result<std::size_t> got = co_await stream.read(buffer);
    if (!got || *got == 0) co_return;
  }
}

inline Task<void> say(net::Stream& stream, std::string text) {
  const Result<void> written = co_await stream.write(text);
  (void)written;  // the client may have gone
}

inline std::string ok(std::string_view body) {
  return fmt::format("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{}", body.size(), body);
}

}  // namespace sluice::http::testing
