#include "llm/event_bounds.h"

namespace sluice::llm {

std::size_t EventBounds::next_end(std::string_view piece, std::size_t from) {
  std::size_t at = from;
  while (at < piece.size()) {
    const char c = piece[at];
    if (c == '\n' && after_cr_) {
      after_cr_ = false;
      ++at;
      continue;
    }
    after_cr_ = c == '\r';
    if (c != '\n' && c != '\r') {
      boundary_ = line_empty_ = false;
      at = piece.find_first_of("\r\n", at);
      if (at == none) return none;
      continue;
    }
    ++at;
    if (!line_empty_) {
      line_empty_ = true;
      continue;
    }
    // The LF of a CRLF belongs to this event if it is here already.
    if (after_cr_ && at < piece.size() && piece[at] == '\n') {
      after_cr_ = false;
      ++at;
    }
    boundary_ = true;
    return at;
  }
  return none;
}

}  // namespace sluice::llm
