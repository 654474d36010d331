#include "http/chunked.h"

#include <algorithm>

#include "http/field_parser.h"

namespace sluice::http {
namespace {

int hex_value(unsigned char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const int letter = c | 0x20;
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

constexpr std::uint8_t max_digits = 16;  // 64 bits

}  // namespace

ChunkedDecoder::ChunkedDecoder(HeadLimits limits) : scanner_(limits, HeadScanner::Kind::trailers) {}

void ChunkedDecoder::reset() {
  state_ = State::size_first;
  left_ = 0;
  scanner_.reset();
  if (!trailers_.empty()) trailers_.clear();
}

ChunkedDecoder::Step ChunkedDecoder::feed(std::string_view input) {
  Step step;
  while (step.consumed < input.size() && state_ != State::done) {
    if (state_ == State::data) {
      step.data = input.substr(step.consumed, static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size())));
      step.consumed += step.data.size();
      left_ -= step.data.size();
      if (left_ == 0) state_ = State::data_cr;
      return step;
    }
    step.rejection = state_ == State::trailers ? feed_trailers(input.substr(step.consumed), step)
                                               : take(static_cast<unsigned char>(input[step.consumed++]));
    if (step.rejection) return step;
  }
  step.end = state_ == State::done;
  return step;
}

const Rejection* ChunkedDecoder::take(unsigned char c) {
  switch (state_) {
    case State::size_first:
      left_ = 0;
      digits_ = 0;
      extension_ = 0;
      if (hex_value(c) < 0) return &reject::chunk_size;
      return take_size(c);
    case State::size:
    case State::space:
      return take_size(c);
    case State::extension:
      return take_extension(c);
    case State::size_lf:
      if (c != '\n') return &reject::chunk_end;
      state_ = left_ == 0 ? State::trailers : State::data;
      return nullptr;
    case State::data_cr:
      state_ = State::data_lf;
      return c == '\r' ? nullptr : &reject::chunk_end;
    case State::data_lf:
      state_ = State::size_first;
      return c == '\n' ? nullptr : &reject::chunk_end;
    default:
      return &reject::chunk_size;
  }
}

const Rejection* ChunkedDecoder::take_size(unsigned char c) {
  const int digit = state_ == State::space ? -1 : hex_value(c);
  if (digit >= 0) {
    if (++digits_ > max_digits) return &reject::chunk_size;
    state_ = State::size;
    left_ = (left_ << 4) | static_cast<std::uint64_t>(digit);
    return nullptr;
  }
  if (c == '\r') {
    state_ = State::size_lf;
    return nullptr;
  }
  if (c == '\n') return &reject::chunk_end;
  if (c == ';') {
    state_ = State::extension;
    return nullptr;
  }
  // Some servers pad the size.
  if (c != ' ' && c != '\t') return &reject::chunk_size;
  state_ = State::space;
  return ++extension_ > max_extension ? &reject::chunk_extension : nullptr;
}

const Rejection* ChunkedDecoder::take_extension(unsigned char c) {
  if (c == '\r') {
    state_ = State::size_lf;
    return nullptr;
  }
  if (c == '\n') return &reject::chunk_end;
  const bool control = (c < ' ' && c != '\t') || c == 0x7f;
  return control || ++extension_ > max_extension ? &reject::chunk_extension : nullptr;
}

const Rejection* ChunkedDecoder::feed_trailers(std::string_view input, Step& step) {
  const HeadScanner::Step scanned = scanner_.feed(input);
  if (scanned.rejection) {
    const bool size = scanned.rejection->status == 431 || scanned.rejection->status == 414;
    return size ? &reject::trailer_size : scanned.rejection;
  }
  step.consumed += scanned.consumed;
  if (!scanned.done) return nullptr;
  state_ = State::done;
  if (scanned.text.size() == 2) return nullptr;
  HeadFacts facts;
  if (parse_fields(scanned.text, trailers_, facts)) return &reject::trailer_field;
  const bool forbidden = std::any_of(trailers_.begin(), trailers_.end(),
                                     [](const Field& field) { return forbidden_in_trailers(field.name); });
  return forbidden ? &reject::trailer_field : nullptr;
}

}  // namespace sluice::http
