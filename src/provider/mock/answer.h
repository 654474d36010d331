#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "llm/usage.h"
#include "provider/mock/directions.h"
#include "provider/mock/question.h"

namespace sluice::mock {

/// A text in tokens.
struct Tokens {
  std::string text;
  std::vector<std::uint32_t> ends;

  std::size_t size() const { return ends.size(); }
  std::string_view operator[](std::size_t index) const {
    const std::uint32_t from = index == 0 ? 0 : ends[index - 1];
    return std::string_view(text).substr(from, ends[index] - from);
  }
};

struct AnsweredCall {
  std::string id;  ///< "call_..."
  std::string name;
  Tokens arguments;
};

struct Choice {
  Tokens content;
  std::vector<AnsweredCall> calls;  ///< instead of content
  std::string_view finish;          ///< "stop", "length", "tool_calls"
};

/// What the model says, before it is put into an endpoint's form.
struct Answer {
  std::string id;  ///< 16 hexadecimal digits
  std::string model;
  std::vector<Choice> choices;
  llm::Usage usage;
  bool include_usage = false;

  /// Tokens of the longest choice: how long the answer takes.
  std::size_t longest() const;
};

/// All answers were made at this moment, so that the same question gives the same bytes: 2026-01-01T00:00:00Z.
inline constexpr std::int64_t created = 1767225600;

/// The same for the same seed and question. The model `mock-echo` repeats the question, `mock-N-tokens` says N tokens.
Answer make_answer(const Question& question, std::uint64_t seed, const Directions& directions);

}  // namespace sluice::mock
