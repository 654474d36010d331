#include "http/sse.h"

#include <algorithm>
#include <utility>

namespace sluice::http {
namespace {

/// Where the first LF or CR is, or npos.
std::size_t find_line_end(std::string_view text) {
  const std::size_t lf = text.find('\n');
  return std::min(lf, text.substr(0, lf).find('\r'));
}

}  // namespace

/// Takes bytes up to the end of a line, or all of them. Sets `ended_` when that line ends an event.
std::size_t SseSplitter::take(std::string_view piece) {
  if (std::exchange(after_cr_, false) && piece.front() == '\n') {
    ended_ = !inside_;  // the rest of the blank line that ended the event before
    return 1;
  }
  const std::size_t end = find_line_end(piece);
  const std::string_view part = piece.substr(0, end);
  inside_ = true;
  size_ += part.size();
  if (size_ > max_event_) drop();
  if (end == std::string_view::npos) {
    if (!dropping_) line_.append(part);
    cut_ = true;
    return part.size();
  }
  after_cr_ = piece[end] == '\r';
  end_line(part);
  if (!after_cr_ || end + 1 == piece.size() || piece[end + 1] != '\n') return end + 1;
  after_cr_ = false;
  return end + 2;
}

void SseSplitter::end_line(std::string_view line) {
  if (!cut_) return read_field(line);
  if (!dropping_) line_.append(line);
  read_field(line_);
  keep();
  line_.clear();
  cut_ = false;
}

void SseSplitter::read_field(std::string_view line) {
  if (std::exchange(first_line_, false) && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
  ended_ = line.empty() && !(dropping_ && cut_);
  if (ended_ || dropping_) return;
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "data") return add_data(value);
  if (name == "event") type_ = value;
  has_fields_ |= name == "event" || name == "id" || name == "retry";
}

/// The first data line is looked at in place; more lines are joined.
void SseSplitter::add_data(std::string_view value) {
  has_fields_ = true;
  if (std::exchange(has_data_, true)) {
    keep();
    data_.append("\n").append(value);
  } else {
    in_place_ = value;
  }
}

/// The views into the caller's piece are about to become invalid.
void SseSplitter::keep() {
  if (in_place_.data() == nullptr) return;
  data_.assign(in_place_);
  in_place_ = {};
}

void SseSplitter::drop() {
  if (dropping_) return;
  dropping_ = true;
  ++oversized_;
  line_ = {};
  data_ = {};
  in_place_ = {};
  has_fields_ = has_data_ = false;
}

SseEvent SseSplitter::finish() const {
  return {type_, in_place_.data() != nullptr ? in_place_ : std::string_view(data_), has_data_};
}

void SseSplitter::start_event() {
  type_.clear();
  data_.clear();
  in_place_ = {};
  size_ = 0;
  inside_ = has_fields_ = has_data_ = dropping_ = cut_ = false;
}

}  // namespace sluice::http
