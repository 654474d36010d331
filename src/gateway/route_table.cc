#include "gateway/route_table.h"

#include <algorithm>

#include "base/glob.h"

namespace sluice {
namespace {

std::string_view without_port(std::string_view host) {
  const std::size_t bracket = host.rfind(']');
  const std::size_t colon = host.rfind(':');
  if (colon == std::string_view::npos || (bracket != std::string_view::npos && colon < bracket)) return host;
  return host.substr(0, colon);
}

bool matches_header(const std::pair<std::string, std::string>& wanted, const http::Fields& fields) {
  return std::any_of(fields.begin(), fields.end(), [&](const http::Field& field) {
    return http::same_name(field.name, wanted.first) && text::glob_matches(wanted.second, field.value);
  });
}

/// Everything but the model.
bool matches_head(const RouteMatch& match, const RouteQuery& query) {
  if (!match.host.empty() && !text::glob_matches(match.host, without_port(query.host), true)) return false;
  if (!match.path.empty() && !text::glob_matches(match.path, query.path)) return false;
  return std::ranges::all_of(match.header, [&](const auto& wanted) { return matches_header(wanted, query.fields); });
}

bool matches_model(const RouteMatch& match, const RouteQuery& query) {
  return match.model.empty() || (query.model && text::glob_matches(match.model, *query.model));
}

}  // namespace

RouteTable::RouteTable(const Config& config) {
  for (const RouteConfig& route : config.routes) {
    RouteSettings settings{route.provider, route.max_body.value_or(config.limits.max_body),
                           route.keep_alive_comment.value_or(config.keep_alive_comment)};
    routes_.push_back({route.name, route.match, std::move(settings)});
  }
  routes_.push_back({"default", {}, {"", config.limits.max_body, config.keep_alive_comment}});
}

const Route& RouteTable::find(const RouteQuery& query) const {
  const auto found = std::ranges::find_if(routes_, [&](const Route& route) {
    return matches_head(route.match, query) && matches_model(route.match, query);
  });
  return *found;
}

RouteTable::Preview RouteTable::preview(const RouteQuery& query) const {
  Preview preview{nullptr, 0, false};
  for (const Route& route : routes_) {
    if (!matches_head(route.match, query)) continue;
    const bool matches = matches_model(route.match, query);
    if (!matches && query.model) continue;
    preview.max_body = std::max(preview.max_body, route.settings.max_body);
    if (matches) {
      preview.route = &route;
      break;  // at the latest the default, which matches everything
    }
    preview.needs_model = true;
  }
  return preview;
}

}  // namespace sluice
