#pragma once

#include <cstddef>
#include <string_view>

namespace sluice::llm {

/// The offset of the first line end (LF or CR) at or after `from`, or npos.
std::size_t line_end(std::string_view text, std::size_t from);

/// Finds where server-sent events end in bytes that come in any pieces: a blank line, ended by LF, CRLF or CR. Looks at
/// nothing else.
class EventBounds {
 public:
  static constexpr std::size_t none = std::string_view::npos;

  /// The offset behind the blank line that ends the first event at or after `from`, or `none` after having looked at
  /// all of `piece`.
  std::size_t next_end(std::string_view piece, std::size_t from);
  /// No byte of an event has come whose end has not.
  bool at_boundary() const { return boundary_; }

 private:
  bool line_empty_ = true;
  bool after_cr_ = false;
  bool boundary_ = true;
};

}  // namespace sluice::llm
