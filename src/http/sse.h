#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// Server-sent events (WHATWG HTML 9.2) in bytes that come in any pieces. The bytes themselves are passed on by others:
/// this only looks at them.
namespace sluice::http {

/// What a complete event said. Views are valid until the next call of the splitter.
struct SseEvent {
  std::string_view type;  ///< the event field, or empty
  std::string_view data;  ///< the data lines joined with LF
  bool has_data = false;  ///< false: no data line, a browser would not dispatch it
};

/// Finds events. Keeps only the bytes of an event that is not complete yet.
class SseSplitter {
 public:
  /// `max_event`: an event larger than this is dropped whole and counted as `oversized`.
  explicit SseSplitter(std::size_t max_event = std::size_t{4} << 20) : max_event_(max_event) {}

  /// Calls `on_event(const SseEvent&)` for every event that is complete with this piece. Returns how many bytes of the
  /// piece belong to complete events (comment blocks and blank lines between events included): what may be forwarded
  /// without cutting an event in two; 0 if no event ended in it.
  template <class OnEvent>
  std::size_t feed(std::string_view piece, OnEvent&& on_event) {
    std::size_t complete = 0;
    std::size_t at = 0;
    while (at < piece.size()) {
      at += take(piece.substr(at));
      if (!ended_) continue;
      complete = at;
      ended_ = false;
      if (has_fields_) on_event(finish());
      start_event();
    }
    keep();
    return complete;
  }

  /// Bytes of an event have come whose end has not.
  bool inside_event() const { return inside_; }
  std::size_t oversized() const { return oversized_; }
  void reset() { *this = SseSplitter(max_event_); }

 private:
  std::size_t take(std::string_view piece);
  void end_line(std::string_view line);
  void read_field(std::string_view line);
  void add_data(std::string_view value);
  void keep();
  void drop();
  SseEvent finish() const;
  void start_event();

  std::size_t max_event_;
  std::string line_;  ///< the beginning of a line that is cut, unless dropping
  std::string type_;
  std::string data_;
  std::string_view in_place_;  ///< a single data line, in the caller's piece
  std::size_t size_ = 0;       ///< bytes of the event under way
  std::size_t oversized_ = 0;
  bool first_line_ = true;  ///< a byte order mark may come
  bool cut_ = false;        ///< the line under way has bytes in an earlier piece
  bool after_cr_ = false;   ///< an LF next belongs to the line that CR ended
  bool ended_ = false;
  bool inside_ = false;
  bool has_fields_ = false;
  bool has_data_ = false;
  bool dropping_ = false;
};

}  // namespace sluice::http
