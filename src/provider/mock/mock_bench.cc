#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "provider/mock/mock_server.h"

/// What the mock costs as the upstream of other measurements: the answer itself, without the HTTP server before it.
namespace sluice::mock {
namespace {

http::Request chat(bool stream) {
  static const std::string question = [] {
    std::string text;
    while (text.size() < 900) text += "What does the gateway do with a long question? ";
    return text;
  }();
  http::Request request;
  request.head.method = "POST";
  request.head.target = "/v1/chat/completions";
  for (const auto& [name, value] : {std::pair{"host", "127.0.0.1:8081"},
                                    {"content-type", "application/json"},
                                    {"authorization", "Bearer sk-0123456789"},
                                    {"user-agent", "bench"},
                                    {"accept", "*/*"}}) {
    request.head.fields.add(name, value);
  }
  std::string body = fmt::format(
      R"({{"model":"demo-small","stream":{},"messages":[{{"role":"user","content":"{}"}}]}})", stream, question);
  request.body = std::make_unique<http::StringBody>(std::move(body));
  return request;
}

http::Response answer(MockServer& server, bool stream) {
  Task<http::Response> task = server.handle(chat(stream));
  task.start();
  return task.take();
}

std::size_t read(http::Body& body) {
  Task<Result<std::string_view>> reading = body.read();
  reading.start();
  return reading.take()->size();
}

void whole_chat(benchmark::State& state) {
  MockServer server({});
  for (auto _ : state) {
    http::Response response = answer(server, false);
    benchmark::DoNotOptimize(read(*response.body));
  }
}
BENCHMARK(whole_chat);

void stream_event(benchmark::State& state) {
  MockServer server({.tokens = 200});
  std::int64_t events = 0;
  for (auto _ : state) {
    http::Response response = answer(server, true);
    while (read(*response.body) > 0) ++events;
  }
  state.counters["events"] = benchmark::Counter(static_cast<double>(events), benchmark::Counter::kIsRate);
}
BENCHMARK(stream_event);

}  // namespace
}  // namespace sluice::mock
