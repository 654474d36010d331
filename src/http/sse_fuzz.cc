#include <string>
#include <vector>

#include "http/slices.h"
#include "http/sse.h"

namespace sluice::http::testing {
namespace {

struct Split {
  std::vector<std::string> events;
  std::size_t complete = 0;  ///< bytes up to the end of the last complete event
  std::size_t oversized = 0;
  bool inside = false;
  bool operator==(const Split&) const = default;
};

template <class Slice>
Split split(std::string_view input, Slice slice) {
  SseSplitter splitter(200);
  Split result;
  std::size_t at = 0;
  while (at < input.size()) {
    // A copy of exactly the piece's size: reading past it or later is found by the address sanitizer.
    const std::string_view part = input.substr(at, slice(input.size() - at));
    const std::vector<char> piece(part.begin(), part.end());
    const std::size_t done = splitter.feed({piece.data(), piece.size()}, [&result](const SseEvent& event) {
      result.events.push_back(std::string(event.type) + "|" + std::string(event.data));
      require(event.has_data || event.data.empty());
    });
    require(done <= piece.size());
    if (done > 0) result.complete = at + done;
    at += piece.size();
  }
  result.oversized = splitter.oversized();
  result.inside = splitter.inside_event();
  return result;
}

}  // namespace
}  // namespace sluice::http::testing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::http::testing;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  Slices slices(input);
  const Split whole = split(input, [](std::size_t left) { return left; });
  const Split sliced = split(input, [&slices](std::size_t left) { return slices.next(left); });
  require(whole == sliced);
  return 0;
}
