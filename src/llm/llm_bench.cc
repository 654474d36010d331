#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <string>

#include "llm/dialect/openai/request_view.h"
#include "llm/dialect/openai/stream_relay.h"
#include "llm/dialect/openai/usage.h"
#include "llm/estimate.h"
#include "llm/prices.h"

namespace sluice::llm {
namespace {

using openai::RequestView;
using openai::StreamRelay;

/// A chat of about `bytes` bytes, the text with an escape here and there.
std::string chat(std::size_t bytes) {
  std::string messages;
  while (messages.size() + 250 < bytes) {
    messages += fmt::format(R"({}{{"role":"{}","content":"What did she say about the plan? \"Nothing\\n\" he {}."}})",
                            messages.empty() ? "" : ",", messages.size() % 2 ? "user" : "assistant",
                            std::string(std::min<std::size_t>(bytes / 8, 2000), 'a'));
  }
  return fmt::format(
      R"({{"model":"gpt-4o-mini","messages":[{}],"temperature":0.7,"max_tokens":256,"stream":true,"metadata":{{"a":"b"}}}})",
      messages);
}

std::string chunk(std::string_view delta, std::string_view finish) {
  return fmt::format(
      "data: "
      "{{\"id\":\"chatcmpl-AbCdEfGhIjKlMnOpQrStUvWxYz012\",\"object\":\"chat.completion.chunk\",\"created\":1730000000,"
      "\"model\":\"gpt-4o-mini-2024-07-18\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_0123456789\","
      "\"choices\":[{{"
      "\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":{}}}],\"usage\":null,\"obfuscation\":\"aBcDeF\"}}"
      "\n\n",
      delta, finish);
}

const std::string content_chunk = chunk(R"({"content":" streaming"})", "null");
const std::string usage_object =
    R"({"prompt_tokens":120,"completion_tokens":340,"total_tokens":460,"prompt_tokens_details":{"cached_tokens":64,)"
    R"("audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":128,"audio_tokens":0}})";

void view_request(benchmark::State& state) {
  const std::string text = chat(static_cast<std::size_t>(state.range(0)));
  for ([[maybe_unused]] auto _ : state) {
    const Result<RequestView> view = RequestView::parse(text);
    if (!view) state.SkipWithError("not parsed");
    benchmark::DoNotOptimize(view);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(view_request)->Arg(1 << 10)->Arg(32 << 10)->Arg(1 << 20);

/// Another name for the model and the wish for usage: two splices.
void rewrite_request(benchmark::State& state) {
  const std::string text = chat(static_cast<std::size_t>(state.range(0)));
  const Result<RequestView> view = RequestView::parse(text);
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(view->rewritten("gpt-4.1-nano", true));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(rewrite_request)->Arg(1 << 10)->Arg(32 << 10)->Arg(1 << 20);

void relay_event(benchmark::State& state) {
  StreamRelay relay({.hide_usage = true});
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(relay.feed(content_chunk));
}
BENCHMARK(relay_event);

/// One read that holds several events, as a fast provider's do.
void relay_16_events(benchmark::State& state) {
  std::string piece;
  for (int i = 0; i < 16; ++i) piece += content_chunk;
  StreamRelay relay({.hide_usage = true});
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(relay.feed(piece));
}
BENCHMARK(relay_16_events);

/// An event in two reads.
void relay_cut_event(benchmark::State& state) {
  const std::string_view whole = content_chunk;
  StreamRelay relay({.hide_usage = true});
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(relay.feed(whole.substr(0, 100)));
    benchmark::DoNotOptimize(relay.feed(whole.substr(100)));
  }
}
BENCHMARK(relay_cut_event);

void relay_response_event(benchmark::State& state) {
  const std::string event =
      "event: response.output_text.delta\ndata: "
      "{\"type\":\"response.output_text.delta\",\"sequence_number\":17,\"item_id\":"
      "\"msg_0123456789abcdef0123456789abcdef\",\"output_index\":0,\"content_index\":0,\"delta\":\" "
      "streaming\",\"logprobs\":[],"
      "\"obfuscation\":\"aBcDeF\"}\n\n";
  StreamRelay relay;
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(relay.feed(event));
}
BENCHMARK(relay_response_event);

/// A short stream from its first chunk to [DONE], with the usage that is hidden.
void relay_stream_end(benchmark::State& state) {
  const std::string last = chunk("{}", R"("stop")") + "data: {\"id\":\"x\",\"choices\":[],\"usage\":" + usage_object +
                           "}\n\ndata: [DONE]\n\n";
  for ([[maybe_unused]] auto _ : state) {
    StreamRelay relay({.hide_usage = true});
    benchmark::DoNotOptimize(relay.feed(last));
    if (relay.finish() != StreamRelay::End::whole) state.SkipWithError("not whole");
  }
}
BENCHMARK(relay_stream_end);

void usage_of_answer(benchmark::State& state) {
  const std::string answer = fmt::format(
      R"({{"id":"chatcmpl-1","object":"chat.completion","choices":[{{"index":0,"message":{{"role":"assistant","content":"{}"}},)"
      R"("finish_reason":"stop"}}],"usage":{}}})",
      std::string(600, 'a'), usage_object);
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(openai::usage_of(answer));
}
BENCHMARK(usage_of_answer);

void price_usage(benchmark::State& state) {
  const PriceTable table;
  const Usage usage{.prompt = 100, .completion = 200, .known = true};
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(table.cost("openai", "gpt-4o-mini-2024-07-18", usage));
}
BENCHMARK(price_usage);

void estimate_text(benchmark::State& state) {
  const std::string text = chat(32 << 10);
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(estimate_tokens(text));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}
BENCHMARK(estimate_text);

}  // namespace
}  // namespace sluice::llm
