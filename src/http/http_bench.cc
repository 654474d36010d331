#include <benchmark/benchmark.h>

#include <string>

#include "http/parser.h"
#include "http/sse.h"
#include "http/writer.h"

namespace sluice::http {
namespace {

/// What a chat SDK sends, about 500 bytes.
const std::string chat_head =
    "POST /v1/chat/completions HTTP/1.1\r\n"
    "Host: gateway.example.internal:8080\r\n"
    "Accept: application/json\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Connection: keep-alive\r\n"
    "Content-Type: application/json\r\n"
    "User-Agent: OpenAI/Python 1.52.0\r\n"
    "X-Stainless-Lang: python\r\n"
    "X-Stainless-Package-Version: 1.52.0\r\n"
    "X-Stainless-OS: Linux\r\n"
    "X-Stainless-Arch: x64\r\n"
    "X-Stainless-Runtime-Version: 3.11.2\r\n"
    "Authorization: Bearer sk-0123456789abcdef0123456789abcdef\r\n"
    "Content-Length: 1024\r\n"
    "\r\n";

const std::string chat_answer =
    "HTTP/1.1 200 OK\r\n"
    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 5\r\n"
    "Connection: keep-alive\r\n"
    "openai-processing-ms: 120\r\n"
    "x-ratelimit-limit-requests: 10000\r\n"
    "x-ratelimit-remaining-requests: 9999\r\n"
    "x-request-id: req_0123456789abcdef\r\n"
    "\r\nhello";

void parse_chat_head(benchmark::State& state) {
  RequestParser parser;
  for ([[maybe_unused]] auto _ : state) {
    const Result<ParseStep> step = parser.feed(chat_head);
    if (!step || step->state != ParseStep::State::head) state.SkipWithError("not parsed");
    benchmark::DoNotOptimize(parser.head());
    parser.reset();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * chat_head.size()));
}
BENCHMARK(parse_chat_head);

void parse_chat_answer(benchmark::State& state) {
  ResponseParser parser;
  for ([[maybe_unused]] auto _ : state) {
    parser.reset(false);
    std::string_view input = chat_answer;
    ParseStep::State last = ParseStep::State::need_more;
    while (last != ParseStep::State::end) {
      const Result<ParseStep> step = parser.feed(input);
      if (!step) return state.SkipWithError("not parsed");
      input.remove_prefix(step->consumed);
      last = step->state;
    }
  }
}
BENCHMARK(parse_chat_answer);

void decode_chunks(benchmark::State& state) {
  std::string body;
  for (int i = 0; i < 64; ++i) body.append("64\r\n").append(100, 'x').append("\r\n");
  for ([[maybe_unused]] auto _ : state) {
    ChunkedDecoder decoder(HeadLimits{});
    std::string_view input = body;
    while (!input.empty()) {
      const ChunkedDecoder::Step step = decoder.feed(input);
      benchmark::DoNotOptimize(step.data);
      input.remove_prefix(step.consumed);
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * body.size()));
}
BENCHMARK(decode_chunks);

void write_chat_request(benchmark::State& state) {
  RequestParser parser;
  (void)parser.feed(chat_head);
  const RequestHead& head = parser.head();
  for ([[maybe_unused]] auto _ : state) {
    std::string out;
    write_request_head(out, head.method, head.target, "api.example.com", head.fields, {.length = 1024});
    benchmark::DoNotOptimize(out);
  }
}
BENCHMARK(write_chat_request);

void split_events(benchmark::State& state) {
  std::string piece;
  for (int i = 0; i < 16; ++i)
    piece.append("data: {\"choices\":[{\"delta\":{\"content\":\"").append(100, 'x').append("\"}}]}\n\n");
  SseSplitter splitter;
  std::size_t bytes = 0;
  for ([[maybe_unused]] auto _ : state) {
    splitter.feed(piece, [&bytes](const SseEvent& event) { bytes += event.data.size(); });
  }
  benchmark::DoNotOptimize(bytes);
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * piece.size()));
}
BENCHMARK(split_events);

}  // namespace
}  // namespace sluice::http
