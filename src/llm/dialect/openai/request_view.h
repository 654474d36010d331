#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "llm/json_members.h"

namespace sluice::llm::openai {

/// What the gateway reads of a request body; everything else passes untouched. Views into the text it was made of.
class RequestView {
 public:
  /// Fails (bad_request, client) if `text` is no JSON object or a field that we read has a wrong type, naming the
  /// field.
  static Result<RequestView> parse(std::string_view text);

  const std::string& model() const { return model_; }  ///< empty: not given
  bool stream() const { return stream_; }
  /// The client itself asked for the usage of its stream.
  bool wants_usage() const { return wants_usage_; }

  /// How many answers were asked for (`n`).
  std::size_t choices() const { return choices_; }

  /// The body for the provider: its name of the model, and with `add_usage` the wish for usage. Otherwise byte for
  /// byte.
  std::string rewritten(std::string_view model, bool add_usage) const;

  /// The raw JSON of what the model reads (messages, prompt, input), for estimates.
  std::string_view prompt_text() const { return prompt_; }

 private:
  std::string_view text_;
  std::vector<JsonMember> members_;
  std::string model_;
  std::string_view stream_options_;
  std::string_view prompt_;
  std::size_t choices_ = 1;
  bool stream_ = false;
  bool wants_usage_ = false;
};

/// Only the model's name; empty if there is none or the text is no JSON object.
std::string model_of(std::string_view text);

}  // namespace sluice::llm::openai
