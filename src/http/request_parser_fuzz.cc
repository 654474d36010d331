#include <string>

#include "http/parser.h"
#include "http/parser_test_support.h"
#include "http/slices.h"
#include "http/writer.h"

namespace sluice::http::testing {
namespace {

constexpr HeadLimits limits{4096, 16, 1024};

/// A head that was accepted, written anew, must mean the same to the next server.
void check_round_trip(RequestParser& parser, std::string_view input) {
  parser.reset();
  std::size_t at = 0;
  Result<ParseStep> step = parser.feed(input);
  require(step.has_value() && step->state == ParseStep::State::head);
  at = step->consumed;
  RequestHead& head = parser.head();
  head.fields.remove("expect");  // means nothing in HTTP/1.0, and is never passed on
  std::string out;
  RequestFraming framing;
  framing.length = parser.content_length();
  framing.chunked = parser.chunked();
  const std::string_view host = head.fields.has("host") ? head.fields.get("host") : "none";
  require(write_request_head(out, head.method, head.target, host, head.fields, framing));
  RequestParser next({8192, 32, 1024});
  const Result<ParseStep> again = next.feed(out);
  require(again.has_value() && again->state == ParseStep::State::head && again->consumed == out.size());
  require(next.head().method == head.method && next.head().target == head.target);
  require(next.content_length() == parser.content_length() && next.chunked() == parser.chunked());
  require(at <= input.size());
}

}  // namespace
}  // namespace sluice::http::testing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::http;
  using namespace sluice::http::testing;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  Slices slices(input);
  RequestParser one(limits);
  RequestParser other(limits);
  while (!input.empty()) {
    const Parsed whole = parse_whole(one, input);
    const Parsed sliced = parse(other, input, [&slices](std::size_t left) { return slices.next(left); });
    require(whole.error == sliced.error);
    if (!whole.error.empty()) break;
    require(whole == sliced);
    if (!whole.complete) break;
    check_round_trip(one, input);
    input.remove_prefix(whole.consumed);
    one.reset();
    other.reset();
  }
  return 0;
}
