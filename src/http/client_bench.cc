#include <benchmark/benchmark.h>

#include <array>
#include <memory>
#include <string>

#include "http/client.h"
#include "net/listener.h"
#include "net/socket.h"
#include "net/stream.h"
#include "net/worker.h"

namespace sluice::http {
namespace {

/// The cheapest server there is: whatever comes in one read is a request.
Task<void> answer_all(std::unique_ptr<net::Stream> stream) {
  static const std::string answer =
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1024\r\n\r\n" + std::string(1024, 'x');
  std::array<char, 4096> buffer;
  while (true) {
    const Result<std::size_t> got = co_await stream->read(buffer);
    if (!got || *got == 0) co_return;
    const Result<void> written = co_await stream->write(answer);
    if (!written) co_return;
  }
}

Task<void> run_calls(benchmark::State& state) {
  const Result<int> descriptor = net::Listener::bind("127.0.0.1:0");
  const Url url = *parse_url("http://" + net::Listener::local_address(*descriptor));
  const Endpoint endpoint = make_endpoint(url, nullptr, {}, {});
  auto accept = [](int accepted) {
    spawn(answer_all(std::make_unique<net::Stream>(net::Socket::adopt(accepted), nullptr, ErrorSource::client)));
  };
  const net::Listener listener(*descriptor, accept, [](std::string_view) {});
  Client client;
  Fields fields;
  fields.add("content-type", "application/json");
  fields.add("authorization", "Bearer sk-0123456789abcdef0123456789abcdef");
  const std::string body(1024, 'q');
  ClientRequest request;
  request.method = "POST";
  request.target = "/v1/chat/completions";
  request.fields = &fields;
  request.body = body;
  const ClientTimeouts timeouts;
  for ([[maybe_unused]] auto _ : state) {
    const Result<Response> response = co_await client.send(endpoint, request, timeouts);
    if (!response) co_return state.SkipWithError(response.error().text.c_str());
    while (true) {
      const Result<std::string_view> piece = co_await response->body->read();
      if (!piece || piece->empty()) break;
    }
  }
}

/// One call over loopback, its server on the same loop included.
void call_over_loopback(benchmark::State& state) { net::run_until_done(run_calls(state)); }
BENCHMARK(call_over_loopback);

}  // namespace
}  // namespace sluice::http
