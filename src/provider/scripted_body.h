#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "http/body.h"
#include "net/worker.h"

/// For tests: a body that does what it is told.
namespace sluice::testing_support {

/// Waits until the condition holds.
using Until = std::function<bool()>;
using Step = std::variant<std::string, Error, Until>;

inline Until for_ever() {
  return [] { return false; };
}

class ScriptedBody final : public http::Body {
 public:
  /// `dropped` is set when the body goes; may be null.
  explicit ScriptedBody(std::vector<Step> steps, bool* dropped = nullptr, std::optional<std::uint64_t> length = {})
      : steps_(std::move(steps)), dropped_(dropped), length_(length) {}
  ~ScriptedBody() override {
    if (dropped_) *dropped_ = true;
  }

  Task<Result<std::string_view>> read() override {
    while (next_ < steps_.size()) {
      const Step& step = steps_[next_++];
      if (const auto* piece = std::get_if<std::string>(&step)) {
        piece_ = *piece;
        co_return std::string_view(piece_);
      }
      if (const auto* error = std::get_if<Error>(&step)) co_return tl::unexpected(*error);
      while (!std::get<Until>(step)()) co_await net::sleep_for(std::chrono::milliseconds(1));
    }
    piece_.clear();
    co_return std::string_view();
  }
  std::optional<std::uint64_t> length() const override { return length_; }

 private:
  std::vector<Step> steps_;
  std::string piece_;  ///< a new text for each piece: reading an old one is found by the address sanitizer
  bool* dropped_;
  std::optional<std::uint64_t> length_;
  std::size_t next_ = 0;
};

/// Everything a body gives.
struct Received {
  std::vector<std::string> pieces;
  std::string text;
  std::optional<Error> error;
};

inline Task<void> receive(http::Body& body, Received& received) {
  while (true) {
    const Result<std::string_view> piece = co_await body.read();
    if (!piece) received.error = piece.error();
    if (!piece || piece->empty()) co_return;
    received.pieces.emplace_back(*piece);
    received.text += *piece;
  }
}

}  // namespace sluice::testing_support
