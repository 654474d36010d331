#include "gateway/route_table.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

RouteConfig route(std::string name, RouteMatch match) {
  RouteConfig config;
  config.name = std::move(name);
  config.match = std::move(match);
  return config;
}

Config config_of(std::vector<RouteConfig> routes) {
  Config config;
  config.routes = std::move(routes);
  return config;
}

class RouteTableTest : public testing::Test {
 protected:
  std::string chosen(const Config& config, std::string_view host, std::string_view path,
                     std::optional<std::string_view> model = {}) {
    return RouteTable(config).find({host, path, fields_, model}).name;
  }
  http::Fields fields_;
};

TEST_F(RouteTableTest, WithoutRoutesEverythingIsDefault) {
  Config config;
  config.limits.max_body = 77;
  config.keep_alive_comment = std::chrono::seconds(3);
  const RouteTable table(config);
  const Route& found = table.find({"any", "/v1/models", fields_, {}});
  EXPECT_EQ(found.name, "default");
  EXPECT_EQ(found.settings.provider, "");
  EXPECT_EQ(found.settings.max_body, 77u);
  EXPECT_EQ(found.settings.keep_alive_comment, std::chrono::seconds(3));
}

TEST_F(RouteTableTest, TheFirstThatMatchesWins) {
  const Config config = config_of({route("files", {.path = "/v1/files*"}), route("all-v1", {.path = "/v1/*"})});
  EXPECT_EQ(chosen(config, "h", "/v1/files/7"), "files");
  EXPECT_EQ(chosen(config, "h", "/v1/chat/completions"), "all-v1");
  EXPECT_EQ(chosen(config, "h", "/v2/x"), "default");
}

TEST_F(RouteTableTest, HostsMatchExactlyOrBySuffixWithoutCaseAndPort) {
  const Config config = config_of({route("exact", {.host = "chat.example.com"}),
                                   route("suffix", {.host = "*.example.com"}), route("v6", {.host = "[::1]"})});
  EXPECT_EQ(chosen(config, "Chat.Example.com:8080", "/"), "exact");
  EXPECT_EQ(chosen(config, "other.example.com", "/"), "suffix");
  EXPECT_EQ(chosen(config, "example.com", "/"), "default");
  EXPECT_EQ(chosen(config, "[::1]:80", "/"), "v6");
  EXPECT_EQ(chosen(config, "[::1]", "/"), "v6");
  EXPECT_EQ(chosen(config, "", "/"), "default");
}

TEST_F(RouteTableTest, EveryHeaderMustMatchInAnyOfItsLines) {
  const Config config = config_of({route("red", {.header = {{"X-Team", "red*"}, {"x-env", "prod"}}})});
  fields_.add("x-team", "blue");
  fields_.add("x-team", "red-1");
  EXPECT_EQ(chosen(config, "h", "/"), "default");
  fields_.add("x-env", "prod");
  EXPECT_EQ(chosen(config, "h", "/"), "red");
}

TEST_F(RouteTableTest, AModelMatchesOnceItIsKnown) {
  const Config config = config_of({route("smart", {.path = "/v1/*", .model = "smart*"})});
  EXPECT_EQ(chosen(config, "h", "/v1/chat/completions"), "default");
  EXPECT_EQ(chosen(config, "h", "/v1/chat/completions", "smart-2"), "smart");
  EXPECT_EQ(chosen(config, "h", "/v1/chat/completions", "other"), "default");
}

TEST_F(RouteTableTest, SettingsOfTheRouteComeBeforeTheDefaults) {
  RouteConfig big = route("big", {.path = "/big"});
  big.provider = "local";
  big.max_body = 1000;
  big.keep_alive_comment = Duration::zero();
  Config config = config_of({big, route("plain", {.path = "/plain"})});
  config.limits.max_body = 10;
  const RouteTable table(config);
  const RouteSettings& settings = table.find({"h", "/big", fields_, {}}).settings;
  EXPECT_EQ(settings.provider, "local");
  EXPECT_EQ(settings.max_body, 1000u);
  EXPECT_EQ(settings.keep_alive_comment, Duration::zero());
  EXPECT_EQ(table.find({"h", "/plain", fields_, {}}).settings.max_body, 10u);
}

TEST_F(RouteTableTest, PreviewObeysTheWidestRouteThatMayBeChosen) {
  RouteConfig wide = route("wide", {.path = "/v1/*", .model = "wide"});
  wide.max_body = 1000;
  RouteConfig elsewhere = route("elsewhere", {.path = "/v2/*", .model = "wide"});
  elsewhere.max_body = 9999;
  Config config = config_of({wide, elsewhere});
  config.limits.max_body = 10;
  const RouteTable table(config);

  const auto open = table.preview({"h", "/v1/x", fields_, {}});
  EXPECT_EQ(open.route->name, "default");
  EXPECT_TRUE(open.needs_model);
  EXPECT_EQ(open.max_body, 1000u);

  const auto known = table.preview({"h", "/v1/x", fields_, "other"});
  EXPECT_EQ(known.route->name, "default");
  EXPECT_FALSE(known.needs_model);
  EXPECT_EQ(known.max_body, 10u);

  const auto irrelevant = table.preview({"h", "/", fields_, {}});
  EXPECT_FALSE(irrelevant.needs_model);
  EXPECT_EQ(irrelevant.max_body, 10u);
}

}  // namespace
}  // namespace sluice
