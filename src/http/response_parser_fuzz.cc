#include <string>

#include "http/parser.h"
#include "http/parser_test_support.h"
#include "http/slices.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::http;
  using namespace sluice::http::testing;
  constexpr HeadLimits limits{4096, 16, 1024};
  std::string_view input(reinterpret_cast<const char*>(data), size);
  Slices slices(input);
  const bool head_request = !input.empty() && input.back() == '\0';
  ResponseParser one(limits);
  ResponseParser other(limits);
  one.reset(head_request);
  other.reset(head_request);
  const Parsed whole = parse_whole(one, input);
  const Parsed sliced = parse(other, input, [&slices](std::size_t left) { return slices.next(left); });
  require(whole.error == sliced.error);
  if (!whole.error.empty()) return 0;
  require(whole == sliced);
  require(one.reusable() == other.reusable());
  if (!whole.complete) require(one.feed_eof().has_value() == other.feed_eof().has_value());
  return 0;
}
