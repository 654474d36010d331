#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::llm::openai {

/// One entry of a model list.
struct ModelEntry {
  std::string id;
  std::int64_t created = 0;  ///< seconds since 1970, 0 if not known
  std::string owned_by;
};

/// The entries of a provider's list. Tolerant: a bare list, `models` for `data`, `name` for `id` and bare names are
/// understood (Together, Ollama, Gemini's own API); what is no entry is left out, and so is a name that came before.
std::vector<ModelEntry> parse_model_list(std::string_view text);
/// {"object":"list","data":[...]}
std::string render_model_list(const std::vector<ModelEntry>& models);
/// One entry alone, as GET /v1/models/ID gives it.
std::string render_model(const ModelEntry& model);

}  // namespace sluice::llm::openai
