#include "message.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <utility>

namespace sluice::bench {
namespace {

void lower_names(std::string& head) {
  bool in_name = false;  // the start line stays
  for (char& c : head) {
    if (c == '\n') in_name = true;
    if (c == ':') in_name = false;
    if (in_name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
}

}  // namespace

MessageReader::Piece MessageReader::next(std::string_view& input, std::string_view& piece) {
  while (state_ != State::ended) {
    if (input.empty()) return Piece::more;
    if (state_ == State::head) return read_head(input);
    if (state_ == State::length || state_ == State::chunk) return read_body(input, piece);
    if (!read_framing(input)) return Piece::broken;
  }
  state_ = State::head;
  fresh_ = true;
  return Piece::end;
}

MessageReader::Piece MessageReader::read_head(std::string_view& input) {
  if (std::exchange(fresh_, false)) head_.clear();
  const auto before = head_.size();
  head_.append(input);
  const auto end = head_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
  if (end == std::string::npos) {
    input = {};
    return head_.size() > 65536 ? Piece::broken : Piece::more;
  }
  input.remove_prefix(end + 4 - before);
  head_.resize(end + 2);
  lower_names(head_);
  begin_body();
  return Piece::head;
}

void MessageReader::begin_body() {
  left_ = 0;
  const auto length = field("content-length");
  std::from_chars(length.data(), length.data() + length.size(), left_);
  if (field("transfer-encoding") == "chunked") {
    state_ = State::chunk_size;
  } else {
    state_ = left_ > 0 ? State::length : State::ended;
  }
}

MessageReader::Piece MessageReader::read_body(std::string_view& input, std::string_view& piece) {
  piece = input.substr(0, left_);
  input.remove_prefix(piece.size());
  left_ -= piece.size();
  if (left_ == 0) state_ = state_ == State::chunk ? State::chunk_end : State::ended;
  return Piece::body;
}

bool MessageReader::read_framing(std::string_view& input) {
  if (!take_line(input)) return true;
  const std::string line = std::exchange(line_, {});
  if (state_ == State::chunk_end) {
    state_ = State::chunk_size;
    return line.empty();
  }
  if (state_ == State::trailer) {
    if (line.empty()) state_ = State::ended;
    return true;
  }
  const auto read = std::from_chars(line.data(), line.data() + line.size(), left_, 16);
  state_ = left_ > 0 ? State::chunk : State::trailer;
  return read.ec == std::errc{};
}

bool MessageReader::take_line(std::string_view& input) {
  const auto end = input.find('\n');
  line_.append(input.substr(0, end));
  input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
  if (end == std::string_view::npos) return false;
  if (!line_.empty() && line_.back() == '\r') line_.pop_back();
  return true;
}

int MessageReader::status() const {
  int status = 0;
  if (head_.starts_with("HTTP/1."))
    std::from_chars(head_.data() + 9, head_.data() + std::min<std::size_t>(head_.size(), 12), status);
  return status;
}

std::string_view MessageReader::field(std::string_view name) const {
  const std::string key = "\n" + std::string(name) + ":";
  const auto at = head_.find(key);
  if (at == std::string::npos) return {};
  auto value = std::string_view(head_).substr(at + key.size());
  value = value.substr(0, value.find('\r'));
  while (value.starts_with(' ')) value.remove_prefix(1);
  return value;
}

std::int64_t number_in(std::string_view text, std::string_view name, std::int64_t otherwise) {
  auto at = text.find(std::string(name) + "\":");
  at = at != std::string_view::npos ? at + 1 : text.find(std::string(name) + "=");
  if (at == std::string_view::npos) return otherwise;
  at += name.size() + 1;
  while (at < text.size() && text[at] == ' ') ++at;
  std::from_chars(text.data() + at, text.data() + text.size(), otherwise);
  return otherwise;
}

void append_chunk(std::string& out, std::string_view bytes) {
  std::array<char, 20> size;
  const int count = std::snprintf(size.data(), size.size(), "%zx\r\n", bytes.size());
  out.append(size.data(), count).append(bytes).append("\r\n");
}

}  // namespace sluice::bench
