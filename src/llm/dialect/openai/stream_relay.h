#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "llm/dialect/openai/long_event.h"
#include "llm/event_bounds.h"
#include "llm/usage.h"

namespace sluice::llm::openai {

/// Passes the events of an OpenAI stream (chat completions, completions, responses) on as they came, in whole events,
/// and looks at them in place: usage, end, content. Without I/O. Copies nothing while pieces are whole events. Movable.
class StreamRelay {
 public:
  struct Options {
    bool hide_usage = false;           ///< drop the chunk that holds nothing but usage: the client did not ask for it
    std::size_t choices = 1;           ///< how many must finish
    std::size_t max_held = 64 * 1024;  ///< a longer event is passed on in pieces
  };
  StreamRelay() = default;
  explicit StreamRelay(Options options) : options_(options) {}

  /// What may be sent on now; valid until the next call. May be empty.
  std::string_view feed(std::string_view bytes);

  enum class End { whole, truncated, failed };
  /// The upstream has ended in order, nothing is fed any more: `whole` if the stream had its own end mark ([DONE], a
  /// final event, or every choice's finish reason), `failed` if it ended after an error event, else `truncated`.
  End finish();
  /// Bytes that are held at the end of a whole stream: an event without its blank line.
  std::string_view rest() const { return held_; }

  /// Our own last event, when the stream breaks. Never followed by [DONE].
  std::string error_event(const Error& error) const;

  /// All that was sent on are whole events: a comment may stand here.
  bool at_boundary() const { return !passing_; }
  /// An event with content has come.
  bool content_seen() const { return content_seen_; }
  /// Events whose data is neither JSON nor [DONE]; passed on all the same.
  std::size_t malformed() const { return malformed_; }
  /// The provider has counted.
  bool counted() const { return usage_.known; }
  /// As the provider counted, else estimated from what passed and from `prompt_tokens`.
  Usage usage(std::uint64_t prompt_tokens) const;

 private:
  std::string_view process(std::string_view text, std::size_t scan_from);
  std::string_view pass_long(std::string_view text);
  bool look_at(std::string_view event);
  bool note(const StreamEvent& event);
  void note_end(std::size_t choice);

  Options options_;
  EventBounds bounds_;
  std::string held_;    ///< the beginning of an event that is not complete
  std::string joined_;  ///< `held_` with what completed it
  std::string kept_;    ///< what is left when an event was dropped
  std::vector<std::size_t> finished_;
  Usage usage_;
  std::unique_ptr<LongEvent> passing_;  ///< the event that is too long to hold, while it passes
  std::uint64_t content_quarters_ = 0;  ///< of a token
  std::size_t malformed_ = 0;
  bool done_ = false;
  bool failed_ = false;
  bool content_seen_ = false;
};

}  // namespace sluice::llm::openai
