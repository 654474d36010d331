#include "http/body_decoder.h"

#include <algorithm>

namespace sluice::http {

void BodyDecoder::set_none() {
  if (kind_ == Kind::chunked) chunks_.reset();
  kind_ = Kind::length;
  announced_ = false;
  length_ = left_ = 0;
}

void BodyDecoder::set_length(std::uint64_t length) {
  kind_ = Kind::length;
  announced_ = true;
  length_ = left_ = length;
}

void BodyDecoder::set_chunked() {
  kind_ = Kind::chunked;
  chunks_.reset();
}

void BodyDecoder::set_until_close() { kind_ = Kind::until_close; }

std::optional<std::uint64_t> BodyDecoder::content_length() const {
  return kind_ == Kind::length && announced_ ? std::optional(length_) : std::nullopt;
}

const Rejection* BodyDecoder::feed(std::string_view input, ParseStep& step) {
  if (kind_ == Kind::chunked) {
    const ChunkedDecoder::Step decoded = chunks_.feed(input);
    step.consumed = decoded.consumed;
    step.body = decoded.data;
    step.state = decoded.end ? ParseStep::State::end
                             : (step.body.empty() ? ParseStep::State::need_more : ParseStep::State::body);
    return decoded.rejection;
  }
  if (kind_ == Kind::length && left_ == 0) {
    step.state = ParseStep::State::end;
    return nullptr;
  }
  const bool bounded = kind_ == Kind::length;
  step.body = bounded ? input.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()))) : input;
  step.consumed = step.body.size();
  if (bounded) left_ -= step.consumed;
  step.state = step.body.empty() ? ParseStep::State::need_more : ParseStep::State::body;
  return nullptr;
}

}  // namespace sluice::http
