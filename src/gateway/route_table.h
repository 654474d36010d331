#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/config.h"
#include "http/fields.h"
#include "pipeline/exchange.h"

namespace sluice {

/// A route ready for use: what it leaves open is filled from the defaults.
struct Route {
  std::string name;
  RouteMatch match;
  RouteSettings settings;
};

/// What a route is chosen by.
struct RouteQuery {
  std::string_view host;  ///< as the client sent it; a port is ignored
  std::string_view path;  ///< without query
  const http::Fields& fields;
  std::optional<std::string_view> model;  ///< nothing: not known yet, or the request has none
};

/// The routes of one configuration in their order. Immutable; any thread.
class RouteTable {
 public:
  explicit RouteTable(const Config& config);

  /// The first route that matches, else the one called "default", which matches everything. A route that wants a model
  /// does not match while the model is not known. Lives as long as the table.
  const Route& find(const RouteQuery& query) const;

  /// The first route that matches already or may match once the model is known: what to obey while the body that names
  /// it is being read.
  struct Preview {
    const Route* route;      ///< the best that is known now, as `find` gives it
    std::uint64_t max_body;  ///< the largest bound of those that may come to be chosen
    bool needs_model;        ///< a model may change the choice
  };
  Preview preview(const RouteQuery& query) const;

 private:
  std::vector<Route> routes_;  ///< the default is the last
};

}  // namespace sluice
