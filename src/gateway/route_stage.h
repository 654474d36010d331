#pragma once

#include "gateway/route_table.h"
#include "pipeline/stage.h"

namespace sluice {

/// The outermost stage: finds the route, whose settings everything further in obeys. Reads a JSON body first where a
/// route is chosen by the model that it names.
class RouteStage final : public Stage {
 public:
  /// `routes` outlives the stage.
  explicit RouteStage(const RouteTable& routes) : routes_(routes) {}
  Task<Reply> handle(Exchange& exchange, Next next) override;

 private:
  const RouteTable& routes_;
};

}  // namespace sluice
