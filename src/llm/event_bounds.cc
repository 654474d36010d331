#include "llm/event_bounds.h"

#include <algorithm>
#include <cstring>

namespace sluice::llm {

/// In windows, so that a text with line ends of one kind only is not searched to its end for the other again and again.
std::size_t line_end(std::string_view text, std::size_t from) {
  constexpr std::size_t window = 512;
  for (; from < text.size(); from += window) {
    const char* const begin = text.data() + from;
    std::size_t size = std::min(window, text.size() - from);
    const void* const lf = std::memchr(begin, '\n', size);
    if (lf) size = static_cast<std::size_t>(static_cast<const char*>(lf) - begin);
    if (const void* const cr = std::memchr(begin, '\r', size)) {
      return from + static_cast<std::size_t>(static_cast<const char*>(cr) - begin);
    }
    if (lf) return from + size;
  }
  return std::string_view::npos;
}

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
      at = line_end(piece, at);
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
