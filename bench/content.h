#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::bench {

/// What the upstream sends and the load expects: both make it from the same numbers, so every byte can be compared.

/// A chat request of exactly 1,024 bytes for the model `default`, and the answer of as many.
const std::string& chat_request();
const std::string& chat_answer();

struct StreamSpec {
  std::int64_t seed = 1;
  std::int64_t chunks = 200;
  std::int64_t interval_us = 0;  ///< between two chunks; 0: as fast as they are taken
  bool hold = false;             ///< silence instead of the end
  bool usage = false;            ///< the client asked for include_usage
};

/// The request body for a stream; stream_spec() reads it back at the other end.
std::string stream_request(const StreamSpec& spec);
StreamSpec stream_spec(std::string_view request);

/// The SSE events of one stream in order: `chunks` of about 250 bytes, usage if asked for, [DONE].
class EventSequence {
 public:
  explicit EventSequence(const StreamSpec& spec) : spec_(spec) {}
  /// The next event with its blank line; empty at the end.
  std::string next();
  bool at_end() const { return index_ >= last(); }

 private:
  std::int64_t last() const { return spec_.chunks + (spec_.hold ? 0 : 1 + (spec_.usage ? 1 : 0)); }

  StreamSpec spec_;
  std::int64_t index_ = 0;
};

/// Compares what comes with what must come, piece by piece.
class EventChecker {
 public:
  explicit EventChecker(const StreamSpec& spec) : events_(spec) {}
  /// False at the first byte that differs or is too many.
  bool accept(std::string_view bytes);
  bool complete() const { return rest_.empty() && events_.at_end(); }
  std::uint64_t bytes() const { return bytes_; }

 private:
  EventSequence events_;
  std::string rest_;  ///< of the current event
  std::uint64_t bytes_ = 0;
};

/// Bulk bytes: an endless pseudo-random text that repeats after a prime number of bytes, so that no displacement goes
/// unseen. A view of at most `count` bytes that belong at `offset`; never empty for count > 0.
std::string_view bulk(std::uint64_t offset, std::uint64_t count);
bool is_bulk(std::uint64_t offset, std::string_view bytes);

}  // namespace sluice::bench
