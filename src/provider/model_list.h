#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "llm/dialect/openai/models.h"
#include "pipeline/exchange.h"
#include "pipeline/stage.h"
#include "provider/config.h"
#include "provider/upstream.h"

namespace sluice {

/// GET /v1/models and /v1/models/ID: every name a client may use, that is, the aliases of the configuration and what
/// each provider lists, as provider/model. Providers are asked at the same time and with a deadline; a list is kept for
/// a minute, that of a provider that does not answer for a few seconds as empty. Thread-safe.
class ModelList {
 public:
  /// Both outlive the list.
  ModelList(const Providers& providers, const std::vector<ModelConfig>& aliases)
      : providers_(providers), aliases_(aliases) {}

  static bool asks_for_it(const http::RequestHead& head);
  Task<Reply> answer(Exchange& exchange);

 private:
  using Entries = std::vector<llm::openai::ModelEntry>;
  struct Kept {
    Entries entries;
    TimePoint until{};
  };

  Task<Entries> all(Exchange& exchange);
  Task<void> refresh(const Provider& provider, Exchange& exchange);
  std::vector<const Provider*> stale() const;
  Entries merged() const;

  const Providers& providers_;
  const std::vector<ModelConfig>& aliases_;
  mutable std::mutex mutex_;
  std::map<std::string, Kept, std::less<>> kept_;
};

}  // namespace sluice
