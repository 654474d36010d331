#pragma once

#include <string_view>

#include "llm/usage.h"

namespace sluice::llm::openai {

/// The tokens of one `usage` object, as chat completions, completions, embeddings (prompt_tokens, ...) and responses
/// (input_tokens, ...) spell it. `known` is false if it holds no counts.
Usage parse_usage(std::string_view usage_object);

/// The usage of a whole reply or of one stream event: its member `usage`, or that of its member `response`.
Usage usage_of(std::string_view reply);

}  // namespace sluice::llm::openai
