#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "llm/prices.h"
#include "pipeline/exchange.h"
#include "pipeline/stage.h"
#include "provider/model_list.h"
#include "provider/model_table.h"
#include "provider/upstream.h"

namespace sluice {

/// The innermost stage: finds the provider that answers, asks it, and hands its bytes on as they come while looking at
/// them in place for usage.
class ProviderStage final : public Stage {
 public:
  /// All outlive the stage.
  ProviderStage(const Providers& providers, const ModelTable& models, const std::vector<ModelConfig>& aliases,
                const llm::PriceTable& prices)
      : providers_(providers), models_(models), prices_(prices), model_list_(providers, aliases) {}

  Task<Reply> handle(Exchange& exchange, Next next) override;

 private:
  /// Whom to ask and what, before anybody is asked.
  struct Plan;
  Task<Result<Plan>> make_plan(Exchange& exchange) const;
  Result<ModelChoice> decide(const ProviderHints& hints, const std::string& model, bool for_model) const;
  Result<void> plan_json(Exchange& exchange, std::string_view named, Plan& plan) const;
  Result<void> plan_other(Exchange& exchange, std::string_view named, Plan& plan) const;
  void choose(Exchange& exchange, const ModelChoice& choice, Plan& plan) const;
  Task<Reply> ask(Exchange& exchange, Plan plan) const;

  const Providers& providers_;
  const ModelTable& models_;
  const llm::PriceTable& prices_;
  ModelList model_list_;
};

}  // namespace sluice
