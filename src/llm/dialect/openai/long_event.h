#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "llm/dialect/openai/stream_event.h"

namespace sluice::llm::openai {

/// An event that is too long to be held and passes in pieces: what can be told from its beginning and its last bytes,
/// where the final event of a long response has its type and its usage.
class LongEvent {
 public:
  /// `data`: what has come of the event's data.
  explicit LongEvent(std::string_view data);

  void add(std::string_view bytes);
  /// Once its last byte has been added. Views into this.
  StreamEvent end() const;

 private:
  std::string type_;
  std::string last_;  ///< the last bytes
  std::uint64_t quarters_ = 0;
  bool is_content_;
};

}  // namespace sluice::llm::openai
