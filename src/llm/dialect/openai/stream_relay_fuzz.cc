#include <algorithm>
#include <string>
#include <vector>

#include "http/slices.h"
#include "llm/dialect/openai/stream_relay.h"

namespace {

using sluice::http::testing::require;
using sluice::http::testing::Slices;
using sluice::llm::openai::StreamRelay;

struct Passed {
  std::string text;
  std::string rest;
  StreamRelay::End end;
  std::uint64_t prompt;
  std::uint64_t completion;
  std::size_t malformed;

  /// A CRLF that is cut in two gives its LF to the next event.
  void drop_line_ends() {
    for (std::string* part : {&text, &rest}) std::erase_if(*part, [](char c) { return c == '\r' || c == '\n'; });
  }
  bool operator==(const Passed&) const = default;
};

template <class Slice>
Passed pass(std::string_view input, StreamRelay::Options options, Slice slice) {
  StreamRelay relay(options);
  Passed passed;
  while (!input.empty()) {
    // A copy of exactly the piece's size: reading past it or later is found by the address sanitizer.
    const std::string_view part = input.substr(0, slice(input.size()));
    const std::vector<char> piece(part.begin(), part.end());
    passed.text += relay.feed({piece.data(), piece.size()});
    input.remove_prefix(part.size());
  }
  passed.end = relay.finish();
  passed.rest = relay.rest();
  passed.prompt = relay.usage(0).prompt;
  passed.completion = relay.usage(0).completion;
  passed.malformed = relay.malformed();
  (void)relay.error_event({});
  return passed;
}

}  // namespace

/// Whatever comes in whatever pieces: without hiding every byte passes, and the pieces make no difference.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::string_view plan = input.substr(size - std::min<std::size_t>(size, 4));
  Slices slices(plan);
  const auto whole = [](std::size_t left) { return left; };
  const auto sliced = [&slices](std::size_t left) { return slices.next(left); };

  Passed plain = pass(input, {}, whole);
  require(plain.text + plain.rest == input);
  Passed hidden = pass(input, {.hide_usage = true}, whole);
  Passed hidden_sliced = pass(input, {.hide_usage = true}, sliced);
  hidden.drop_line_ends();
  hidden_sliced.drop_line_ends();
  require(hidden == hidden_sliced);
  require(hidden.end == plain.end && hidden.prompt == plain.prompt && hidden.completion == plain.completion);

  const Passed pieces = pass(input, {.max_held = 20}, sliced);
  require(pieces.text + pieces.rest == input);
  return 0;
}
