#include "http/head_scanner.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace sluice::http {
namespace {

constexpr std::uint64_t ones = 0x0101010101010101;
constexpr std::uint64_t tops = 0x8080808080808080;

/// Whether one of eight bytes is below the space or DEL.
bool any_special(std::uint64_t bytes) {
  const std::uint64_t below_space = (bytes - ' ' * ones) & ~bytes;
  const std::uint64_t del = bytes ^ (0x7f * ones);
  return ((below_space | ((del - ones) & ~del)) & tops) != 0;
}

bool special(unsigned char c) { return c < ' ' || c == 0x7f; }

}  // namespace

HeadScanner::HeadScanner(HeadLimits limits, Kind kind) : limits_(limits), kind_(kind) {}

void HeadScanner::reset() { *this = HeadScanner(limits_, kind_); }

/// Where the run of harmless bytes from `from` on ends.
std::size_t HeadScanner::plain_run(std::string_view input, std::size_t from) const {
  while (input.size() - from >= sizeof(std::uint64_t)) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, input.data() + from, sizeof bytes);
    if (any_special(bytes)) break;
    from += sizeof bytes;
  }
  while (from < input.size() && !special(static_cast<unsigned char>(input[from]))) ++from;
  return from;
}

HeadScanner::Step HeadScanner::feed(std::string_view input) {
  const std::string_view allowed = input.substr(0, limits_.max_bytes - std::min(limits_.max_bytes, total_));
  std::size_t begin = 0;
  std::size_t at = 0;
  while (at < allowed.size() && !done_) {
    if (!after_cr_ && !line_empty_) at = plain_run(allowed, at);
    if (at == allowed.size()) break;
    const bool skipped = skipped_;
    if (const Rejection* rejection = take(static_cast<unsigned char>(allowed[at++]))) return {rejection};
    if (skipped_ != skipped) {
      begin = at;
      kept_.clear();
    }
  }
  total_ += at;
  if (!done_ && at < input.size()) return {lines_ == 0 ? &reject::target_length : &reject::header_bytes};
  Step step{nullptr, at, done_, input.substr(begin, at - begin)};
  if (done_ && kept_.empty()) return step;
  kept_.append(step.text);
  step.text = done_ ? std::string_view(kept_) : std::string_view();
  return step;
}

const Rejection* HeadScanner::take(unsigned char c) {
  if (after_cr_) {
    after_cr_ = false;
    return c == '\n' ? end_line() : &reject::bare_cr;
  }
  if (c == '\r') {
    after_cr_ = true;
    return nullptr;
  }
  if (c == '\n') return &reject::bare_lf;
  if (c == '\0') return &reject::nul;
  if (special(c) && c != '\t') return &reject::control;
  if (line_empty_ && (c == ' ' || c == '\t')) {
    return lines_ == 0 && kind_ != Kind::trailers ? &reject::start_line : &reject::obs_fold;
  }
  line_empty_ = false;
  return nullptr;
}

const Rejection* HeadScanner::end_line() {
  if (line_empty_) {
    if (lines_ > 0 || kind_ == Kind::trailers) {
      done_ = true;
      return nullptr;
    }
    if (kind_ == Kind::response || skipped_) return &reject::start_line;
    skipped_ = true;
    return nullptr;
  }
  ++lines_;
  line_empty_ = true;
  const std::size_t fields = kind_ == Kind::trailers ? lines_ : lines_ - 1;
  return fields > limits_.max_fields ? &reject::header_count : nullptr;
}

}  // namespace sluice::http
