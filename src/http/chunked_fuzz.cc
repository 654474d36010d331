#include <string>

#include "http/chunked.h"
#include "http/parser_test_support.h"
#include "http/slices.h"
#include "http/writer.h"

namespace sluice::http::testing {
namespace {

constexpr HeadLimits limits{1024, 8, 1024};

struct Decoded {
  std::string data;
  std::string trailers;
  std::string_view rejection;
  bool end = false;
  std::size_t consumed = 0;
  bool operator==(const Decoded&) const = default;
};

template <class Slice>
Decoded decode(std::string_view input, Slice slice) {
  ChunkedDecoder decoder(limits);
  Decoded decoded;
  while (decoded.consumed < input.size() && !decoded.end) {
    std::string_view piece = input.substr(decoded.consumed, slice(input.size() - decoded.consumed));
    while (!piece.empty() && !decoded.end) {
      const ChunkedDecoder::Step step = decoder.feed(piece);
      if (step.rejection) {
        decoded.rejection = step.rejection->reason;
        return decoded;
      }
      require(step.consumed <= piece.size());
      require(step.end || !step.data.empty() || step.consumed == piece.size());
      decoded.consumed += step.consumed;
      decoded.data += step.data;
      decoded.end = step.end;
      piece.remove_prefix(step.consumed);
    }
  }
  decoded.trailers = to_text(decoder.trailers());
  return decoded;
}

/// What our own writer frames must come back as it was.
void check_round_trip(const Decoded& decoded) {
  std::string framed;
  for (std::string_view rest = decoded.data; !rest.empty();) {
    const std::string_view piece = rest.substr(0, 7);
    framed.append(ChunkHead(piece.size()).text()).append(piece).append("\r\n");
    rest.remove_prefix(piece.size());
  }
  write_last_chunk(framed);
  const Decoded again = decode(framed, [](std::size_t left) { return left; });
  require(again.end && again.data == decoded.data && again.consumed == framed.size());
}

}  // namespace
}  // namespace sluice::http::testing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::http::testing;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  Slices slices(input);
  const Decoded whole = decode(input, [](std::size_t left) { return left; });
  const Decoded sliced = decode(input, [&slices](std::size_t left) { return slices.next(left); });
  require(whole.rejection == sliced.rejection);
  if (!whole.rejection.empty()) return 0;
  require(whole == sliced);
  check_round_trip(whole);
  return 0;
}
