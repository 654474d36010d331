#pragma once

#include <string>

#include "base/error.h"

namespace sluice::llm::openai {

/// The HTTP status that an error is answered with.
int status_of(const Error& error);

/// The error as OpenAI's API says it: {"error":{"message","type","param":null,"code"}}.
std::string error_body(const Error& error);

}  // namespace sluice::llm::openai
