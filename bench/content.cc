#include "content.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "message.h"

namespace sluice::bench {
namespace {

constexpr std::size_t body_bytes = 1024;
constexpr std::size_t bulk_period = 1'048'573;  // a prime

std::uint64_t mix(std::uint64_t x) {  // splitmix64
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31U);
}

/// `head` + letters + `tail`, 1,024 bytes together.
std::string padded(std::string head, std::string_view tail) {
  while (head.size() + tail.size() < body_bytes)
    head += head.size() % 7 == 0 ? ' ' : static_cast<char>('a' + head.size() % 23);
  return head.append(tail);
}

std::string usage_event() {
  return "data: "
         "{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"mock\","
         "\"choices\":[],"
         "\"usage\":{\"prompt_tokens\":210,\"completion_tokens\":200,\"total_tokens\":410}}\n\n";
}

std::string chunk_event(std::uint64_t seed, std::int64_t index) {
  const std::uint64_t a = mix(seed * 1'000'003 + static_cast<std::uint64_t>(index));
  std::array<char, 400> text;
  const int size = std::snprintf(
      text.data(), text.size(),
      "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"mock\","
      "\"system_fingerprint\":\"fp_bench\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" "
      "%016llx\"},\"logprobs\":null,"
      "\"finish_reason\":null}],\"n\":%lld}\n\n",
      static_cast<unsigned long long>(a), static_cast<long long>(index));
  return {text.data(), static_cast<std::size_t>(size)};
}

const std::string& bulk_text() {
  static const std::string text = [] {
    std::string bytes(bulk_period, '\0');
    std::uint64_t state = 1;
    for (char& c : bytes) c = static_cast<char>((state = mix(state)) & 0xffU);
    return bytes + bytes;  // so that any window of one period is contiguous
  }();
  return text;
}

}  // namespace

const std::string& chat_request() {
  static const std::string request = padded(
      R"({"model":"default","temperature":0.7,"messages":[{"role":"system","content":"You are a helpful assistant."},{"role":"user","content":")",
      R"("}]})");
  return request;
}

const std::string& chat_answer() {
  static const std::string answer = padded(
      R"({"id":"chatcmpl-bench","object":"chat.completion","created":1700000000,"model":"mock","choices":[{"index":0,"message":{"role":"assistant","content":")",
      R"("},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":210,"completion_tokens":180,"total_tokens":390}})");
  return answer;
}

std::string stream_request(const StreamSpec& spec) {
  std::string body = R"({"model":"default","stream":true,)";
  if (spec.usage) body += R"("stream_options":{"include_usage":true},)";
  body += "\"bench_seed\":" + std::to_string(spec.seed) + ",\"bench_chunks\":" + std::to_string(spec.chunks) +
          ",\"bench_interval_us\":" + std::to_string(spec.interval_us) +
          ",\"bench_hold\":" + std::to_string(spec.hold ? 1 : 0);
  return padded(body + R"(,"messages":[{"role":"user","content":")", R"("}]})");
}

StreamSpec stream_spec(std::string_view request) {
  return {.seed = number_in(request, "bench_seed", 1),
          .chunks = number_in(request, "bench_chunks", 200),
          .interval_us = number_in(request, "bench_interval_us", 0),
          .hold = number_in(request, "bench_hold", 0) != 0,
          .usage = request.find("\"include_usage\":true") != std::string_view::npos};
}

std::string EventSequence::next() {
  if (at_end()) return {};
  const auto index = index_++;
  if (index < spec_.chunks) return chunk_event(spec_.seed, index);
  return spec_.usage && index == spec_.chunks ? usage_event() : "data: [DONE]\n\n";
}

bool EventChecker::accept(std::string_view bytes) {
  while (!bytes.empty()) {
    if (rest_.empty()) rest_ = events_.next();
    const auto count = std::min(rest_.size(), bytes.size());
    if (count == 0 || rest_.compare(0, count, bytes, 0, count) != 0) return false;
    rest_.erase(0, count);
    bytes.remove_prefix(count);
    bytes_ += count;
  }
  return true;
}

std::string_view bulk(std::uint64_t offset, std::uint64_t count) {
  return std::string_view(bulk_text()).substr(offset % bulk_period, std::min<std::uint64_t>(count, bulk_period));
}

bool is_bulk(std::uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto expected = bulk(offset, bytes.size());
    if (bytes.substr(0, expected.size()) != expected) return false;
    offset += expected.size();
    bytes.remove_prefix(expected.size());
  }
  return true;
}

}  // namespace sluice::bench
