#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace sluice::llm::openai {

/// What the gateway wants to know of one event of a stream (chat completions, completions, responses). Views into its
/// data.
struct StreamEvent {
  std::string_view type;          ///< of a responses event; escapes as they are
  std::string_view usage;         ///< the raw usage object; empty: none
  std::uint64_t quarters = 0;     ///< quarter tokens of the text that it adds to the answer
  std::vector<std::size_t> ends;  ///< indexes of the choices that have their finish reason here
  bool no_choices = false;        ///< `choices` is an empty list
  bool error = false;             ///< the provider reports an error
  bool malformed = false;         ///< not one JSON object; what was read of it is not to be relied on
};

/// Reads an event's data (not [DONE]) in one pass, at every depth only what is asked for; no allocation unless a choice
/// ends. Values are stepped over, not validated.
StreamEvent read_stream_event(std::string_view data);

}  // namespace sluice::llm::openai
