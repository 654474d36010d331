#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "provider/mock/complaint.h"

namespace sluice::mock {

/// A tool to call, with arguments made up from its schema.
struct ToolCall {
  std::string name;
  std::string arguments;
};

/// What a request asks, whichever endpoint it came to.
struct Question {
  std::string model;
  std::vector<std::string> texts;  ///< what is to be answered: the last user message, or each prompt of a completion
  bool tool_result = false;        ///< the text is what a tool gave back
  std::uint64_t identity = 0;      ///< a hash of all that was said, and of nothing that only says how to answer
  std::uint64_t prompt_tokens = 0;
  std::uint64_t images = 0;
  std::size_t choices = 1;  ///< for each text
  std::optional<std::uint64_t> max_tokens;
  std::optional<std::uint64_t> tokens;  ///< wished by `metadata.mock_tokens`
  std::vector<std::string> stop;
  std::vector<ToolCall> calls;
  std::string json;  ///< JSON mode: the object to answer; empty: off
  bool stream = false;
  bool include_usage = false;
};

using Json = simdjson::dom::element;

Checked<Question> read_chat(Json body);
Checked<Question> read_completion(Json body);
Checked<Question> read_responses(Json body);

/// Parses `text`, whose buffer must be readable for 64 bytes past its end, and hands the whole to `use`. Views of the
/// document are valid only inside.
template <class Use>
auto with_json(std::string_view text, Use use) -> decltype(use(Json())) {
  thread_local simdjson::dom::parser parser;
  Json body;
  const auto error = text.empty() ? simdjson::EMPTY : parser.parse(text.data(), text.size(), false).get(body);
  if (error || !body.is_object()) {
    return complain(std::string("We could not parse the JSON body of your request: ") +
                    (error ? simdjson::error_message(error) : "it is not an object") + ".");
  }
  return use(body);
}

}  // namespace sluice::mock
