#include "gateway/config/load.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

namespace sluice {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Environment with(std::map<std::string, std::string, std::less<>> variables) {
  return [variables = std::move(variables)](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

const Environment environment = with({{"KEY", "sk-4711"}, {"EMPTY", ""}});

std::vector<std::string> problems_of(std::string_view text) {
  std::vector<std::string> result;
  for (const Problem& problem : load_config_text(text, "f.yaml", environment).problems)
    result.push_back(problem.to_string());
  return result;
}

Config load(std::string_view text, const Environment& variables = environment) {
  LoadedConfig loaded = load_config_text(text, "f.yaml", variables);
  for (const Problem& problem : loaded.problems) ADD_FAILURE() << problem.to_string();
  return loaded ? std::move(*loaded.config) : Config();
}

std::string with_demo(std::string_view rest) { return fmt::format("providers: {{demo: {{type: mock}}}}\n{}", rest); }

TEST(LoadConfig, DefaultsStandWhereTheFileIsSilent) {
  const Config config = load(with_demo(""));
  ASSERT_EQ(config.listeners.size(), 1u);
  EXPECT_EQ(config.listeners[0].address, "0.0.0.0:8080");
  EXPECT_EQ(config.admin, "127.0.0.1:9090");
  EXPECT_EQ(config.drain, 30s);
  EXPECT_EQ(config.keep_alive_comment, 15s);
  EXPECT_EQ(config.limits.max_body, 32u << 20);
  EXPECT_EQ(config.limits.header_timeout, 10s);
  EXPECT_TRUE(config.find_provider("demo")->is_mock());
}

TEST(LoadConfig, ListenTakesAnAddressAListAndMaps) {
  EXPECT_EQ(load(with_demo("listen: 127.0.0.1:1")).listeners[0].address, "127.0.0.1:1");
  const Config config = load(with_demo("listen: [\"[::1]:1\", {address: \":2\"}]"));
  ASSERT_EQ(config.listeners.size(), 2u);
  EXPECT_EQ(config.listeners[1].address, ":2");
}

TEST(LoadConfig, ProvidersAreCompletedFromTheirType) {
  const Config config = load(
      "providers:\n  openai: {type: openai, api_key: \"${KEY}\"}\n  qwen: {type: dashscope, api_keys: [a, "
      "\"${KEY}\"]}\n"
      "  local: {type: openai, base_url: \"http://127.0.0.1:8000/v1/\", timeouts: {connect: 2s, first_token: off}}\n"
      "  own: {type: groq, api_key: client}\n");
  EXPECT_EQ(config.find_provider("openai")->base_url, "https://api.openai.com/v1");
  EXPECT_EQ(config.find_provider("openai")->api_keys[0].reveal(), "sk-4711");
  EXPECT_EQ(config.find_provider("qwen")->api_keys.size(), 2u);
  EXPECT_EQ(config.find_provider("local")->base_url, "http://127.0.0.1:8000/v1");
  EXPECT_EQ(config.find_provider("local")->timeouts.connect, 2s);
  EXPECT_EQ(config.find_provider("local")->timeouts.first_token, 0s);
  EXPECT_EQ(config.find_provider("local")->timeouts.between_tokens, 60s);
  EXPECT_TRUE(config.find_provider("own")->client_key);
  EXPECT_THAT(config.find_provider("own")->api_keys, IsEmpty());
}

TEST(LoadConfig, ModelsAreAliasesOrWeightedTargets) {
  const Config config = load(with_demo("models:\n  a: demo/x/y\n  b: {targets: [{use: demo/x, weight: 3}, demo/y]}\n"));
  ASSERT_EQ(config.find_model("a")->targets.size(), 1u);
  EXPECT_EQ(config.find_model("a")->targets[0].provider, "demo");
  EXPECT_EQ(config.find_model("a")->targets[0].model, "x/y");
  EXPECT_EQ(config.find_model("b")->targets[0].weight, 3u);
  EXPECT_EQ(config.find_model("b")->targets[1].weight, 1u);
  EXPECT_EQ(config.find_model("c"), nullptr);
}

TEST(LoadConfig, RoutesKeepTheirOrderAndGetNames) {
  const Config config =
      load(with_demo("routes:\n- {match: {host: a.example, path: /v1/*, header: {x-team: red}, model: s}, provider: "
                     "demo, max_body: 1MiB}\n"
                     "- {name: rest, keep_alive_comment: off}\n"));
  ASSERT_EQ(config.routes.size(), 2u);
  EXPECT_EQ(config.routes[0].name, "route-1");
  EXPECT_THAT(config.routes[0].match.header, ElementsAre(testing::Pair("x-team", "red")));
  EXPECT_EQ(config.routes[0].max_body, 1u << 20);
  EXPECT_EQ(config.routes[0].keep_alive_comment, std::nullopt);
  EXPECT_EQ(config.routes[1].keep_alive_comment, 0s);
}

TEST(LoadConfig, AProviderWithoutItsOptionalKeyIsLeftOutWithItsModels) {
  const Config config = load(
      "providers:\n  openai: {type: openai, api_key: \"${NOPE:-}\"}\n  qwen: {type: dashscope, api_keys: "
      "[\"${NOPE:-}\", \"${EMPTY:-}\"]}\n"
      "  half: {type: groq, api_keys: [\"${NOPE:-}\", \"${KEY:-}\"]}\n  demo: {type: mock}\n"
      "models: {a: openai/x, b: {targets: [openai/x, demo/y]}}\n");
  EXPECT_EQ(config.find_provider("openai"), nullptr);
  EXPECT_EQ(config.find_provider("qwen"), nullptr);
  EXPECT_EQ(config.find_provider("half")->api_keys.size(), 1u);
  EXPECT_EQ(config.find_model("a"), nullptr);
  EXPECT_EQ(config.find_model("b")->targets.size(), 1u);
  ASSERT_EQ(config.disabled.size(), 2u);
  EXPECT_EQ(config.disabled[0].reason, "NOPE is not set");
  EXPECT_THAT(config.notes,
              ElementsAre("provider openai is left out: NOPE is not set", "provider qwen is left out: NOPE is not set",
                          "model a is left out: so are the providers of all its targets"));
}

TEST(LoadConfig, NotesAnAdminListenerThatOthersReach) {
  EXPECT_THAT(load(with_demo("")).notes, IsEmpty());
  EXPECT_THAT(load(with_demo("admin: 0.0.0.0:9")).notes, ElementsAre(HasSubstr("admin listens on 0.0.0.0:9")));
}

struct Wrong {
  std::string text;
  const char* problem;
};

class ConfigProblem : public testing::TestWithParam<Wrong> {};

TEST_P(ConfigProblem, SaysWhereAndWhatAndHow) {
  EXPECT_THAT(problems_of(GetParam().text), ElementsAre(HasSubstr(GetParam().problem)));
}

INSTANTIATE_TEST_SUITE_P(
    Each, ConfigProblem,
    testing::Values(
        Wrong{"", "f.yaml: providers: there is no provider; add one, such as demo: {type: mock}, which needs no key"},
        Wrong{"providers: {}", "f.yaml:1:12: providers: there is no provider"},
        Wrong{"a: [", "f.yaml:1:4: not valid YAML: the ] that belongs to this is missing"},
        Wrong{with_demo("listne: x"), "f.yaml:2:1: listne: unknown key; did you mean \"listen\"?"},
        Wrong{with_demo("cache: {ttl: 1h}"), "f.yaml:2:1: cache: not available in this version; remove it"},
        Wrong{with_demo("listen: example.com:80"), "f.yaml:2:9: listen: "},
        Wrong{with_demo("listen: [\"1.2.3.4:1\", \"1.2.3.4:1\"]"),
              "f.yaml:2:23: listen[1]: the address 1.2.3.4:1 is used twice; change one"},
        Wrong{with_demo("listen: 1.2.3.4:1\nadmin: 1.2.3.4:1"),
              "f.yaml:3:8: admin: the address 1.2.3.4:1 is used twice; change one"},
        Wrong{with_demo("listen: []"), "f.yaml:2:9: listen: needs at least one address"},
        Wrong{with_demo("listen: {address: \"1.2.3.4:1\", tls: {cert: /nowhere, key: /etc/passwd}}"),
              "listen.tls.cert: cannot read the file: No such file"},
        Wrong{"providers: {a: {}}", "f.yaml:1:13: providers.a: \"type\" is missing; add it"},
        Wrong{"providers: {a: {type: opnai}}", "not \"opnai\"; did you mean \"openai\"?"},
        Wrong{"providers: {a: {type: anthropic}}", "\"anthropic\" is not available in this version"},
        Wrong{"providers: {a b: {type: mock}}", "f.yaml:1:13: providers.a b: a name here has 1 to 64 letters"},
        Wrong{"providers: {a: {type: openai}}", "providers.a: has no api_key; add api_key: \"${OPENAI_API_KEY}\""},
        Wrong{"providers: {a: {type: openai, api_key: x, api_keys: [y]}}", "api_key and api_keys are both here"},
        Wrong{"providers: {a: {type: openai, api_key: \"${EMPTY}\"}}", "f.yaml:1:40: providers.a.api_key: is empty"},
        Wrong{"providers: {a: {type: openai, api_key: \"${NOPE}\"}}",
              "providers.a.api_key: the environment variable NOPE is not set"},
        Wrong{"providers: {a: {type: openai, base_url: \"ftp://x\"}}", "base_url: must begin with http:// or https://"},
        Wrong{"providers: {a: {type: openai, base_url: \"http://:80/v1\"}}",
              "base_url: must begin with http:// or https://"},
        Wrong{"providers: {a: {type: openai, base_url: \"http://u:p@x/v1\"}}",
              "base_url: must not hold a user or password"},
        Wrong{"providers: {a: {type: openai, base_url: \"http://x/v1?k=1\"}}", "base_url: must not have a query"},
        Wrong{"providers: {a: {type: mock, mock: {faults: [reset, explode]}}}",
              "f.yaml:1:52: providers.a.mock.faults[1]: 'explode' is no fault of the mock; docs/mock.md lists them"},
        Wrong{"providers: {a: {type: mock, base_url: \"http://x/v1\"}}", "type mock answers by itself"},
        Wrong{"providers: {a: {type: openai, api_key: x, proxy: \"socks5://p\"}}", "providers.a.proxy: "},
        Wrong{"providers: {a: {type: openai, headers: {\"a b\": x}}}",
              "providers.a.headers.a b: is not a header's name"},
        Wrong{"providers: {a: {type: openai, headers: {a: \"x\\r\\ny\"}}}", "providers.a.headers.a: holds a line end"},
        Wrong{"providers: {a: {type: openai, api_key: x, tls: {cert: /dev/null}}}",
              "tls.cert: cannot read the file: it is not a regular file"},
        Wrong{"providers: {a: {type: openai, api_key: x, timeouts: {connect: off}}}",
              "providers.a.timeouts.connect: must be a duration"},
        Wrong{with_demo("models: {a: gpt-4o}"),
              "f.yaml:2:13: models.a: must be provider/model, such as openai/gpt-4o, not \"gpt-4o\""},
        Wrong{with_demo("models: {a: dmeo/x}"),
              "f.yaml:2:13: models.a: there is no such provider; did you mean \"demo\"?"},
        Wrong{with_demo("models: {gpt-4.1: {targets: [{use: elsewhere/x}]}}"),
              "f.yaml:2:36: models.gpt-4.1.targets[0].use: there is no such provider; define it under providers"},
        Wrong{with_demo("models: {a: {targets: []}}"), "models.a: needs at least one target"},
        Wrong{with_demo("models: {a: {targets: [demo/x], retry: {attempts: 2}}}"),
              "models.a.retry: not available in this version; remove it"},
        Wrong{with_demo("models: {demo/x: demo/y}"),
              "f.yaml:2:18: models.demo/x: the name already means a model of that provider"},
        Wrong{with_demo("models: {a: demo/x, a: demo/y}"), "f.yaml:2:21: the key \"a\" is here twice"},
        Wrong{with_demo("routes: [{provider: demi}]"),
              "f.yaml:2:21: routes[0].provider: there is no such provider; did you mean \"demo\"?"},
        Wrong{with_demo("routes: [{name: a}, {name: a}]"),
              "f.yaml:2:28: routes[1].name: the name \"a\" is used twice; change one"},
        Wrong{with_demo("routes: [{match: {path: v1}}]"), "routes[0].match.path: must begin with / or *"},
        Wrong{with_demo("routes: [{cache: {ttl: 1h}}]"), "routes[0].cache: not available in this version"},
        Wrong{"providers: {a: {type: groq, api_key: \"${NOPE:-}\"}}\nroutes: [{provider: a}]",
              "f.yaml:2:21: routes[0].provider: the provider is left out because NOPE is not set"},
        Wrong{with_demo("prices: {m: {input: 1}}"), "prices.m: \"output\" is missing"},
        Wrong{with_demo("cors: {origins: [\"*\"], credentials: true}"),
              "cors: credentials cannot go with origin \"*\""},
        Wrong{with_demo("cors: {origins: [\"https://a/b\"]}"), "cors.origins[0]: is not an origin"},
        Wrong{with_demo("telemetry: {traces: {}}"), "telemetry.traces: not available in this version"},
        Wrong{with_demo("limits: {max_body: 0}"), "limits.max_body: must be a size like 64KiB"}));

TEST(LoadConfig, CollectsAllProblems) {
  EXPECT_THAT(problems_of("listen: x\nworkers: many\nproviders: {a: {type: mock}}\nmodels: {m: b/c, n: "
                          "nothing}\nroutes: [{provider: c}]\n"),
              ElementsAre(HasSubstr("1:9: listen"), HasSubstr("2:10: workers"), HasSubstr("4:13: models.m"),
                          HasSubstr("4:21: models.n"), HasSubstr("5:21: routes[0].provider")));
}

TEST(LoadConfig, AFileThatCannotBeReadIsAProblem) {
  const LoadedConfig loaded = load_config_file("/nowhere/sluice.yaml", environment);
  ASSERT_EQ(loaded.problems.size(), 1u);
  EXPECT_EQ(loaded.problems[0].to_string(), "/nowhere/sluice.yaml: cannot read the file: No such file or directory");
}

// A key in every place where a value may stand: whatever becomes of it, it is not repeated.
TEST(LoadConfig, ProblemsNeverRepeatAVariablesValue) {
  const std::string text =
      "listen: ${KEY}\nadmin: ${KEY}\nworkers: ${KEY}\ndrain: ${KEY}\nlimits: {max_body: \"${KEY}\"}\ncors: {origins: "
      "[\"${KEY}\"]}\n"
      "providers:\n  a: {type: \"${KEY}\", api_key: {file: \"${KEY}\"}, base_url: \"${KEY}\", proxy: \"ftp://${KEY}\", "
      "tls: {ca_file: \"${KEY}\"}}\n"
      "models: {m: \"${KEY}\", n: \"${KEY}/x\"}\nroutes: [{name: \"a ${KEY}\", match: {path: \"${KEY}\"}, provider: "
      "\"${KEY}\"}]\n"
      "telemetry: {log_level: \"${KEY}\"}\n";
  const std::vector<std::string> problems = problems_of(text);
  EXPECT_EQ(problems.size(), 17u);
  EXPECT_THAT(problems, Not(Contains(HasSubstr("4711"))));
}

TEST(LoadConfig, TheSameAddressFromAVariableTwiceIsNotRepeatedEither) {
  EXPECT_THAT(
      load_config_text(with_demo("listen: ${A}\nadmin: ${A}"), "f", with({{"A", "127.0.0.1:4711"}})).problems.size(),
      1u);
}

TEST(EffectiveJson, HasNoSecretAndEveryDefault) {
  const std::string shown =
      effective_json(load("providers:\n  a: {type: openai, api_key: \"${KEY}\", headers: {x-key: sk-4711}, proxy: "
                          "\"http://u:sk-4711@p:1\"}\n"
                          "  b: {type: groq, api_keys: [sk-4711, sk-4711]}\n  c: {type: groq, api_key: client}\n"));
  EXPECT_THAT(shown, Not(HasSubstr("4711")));
  const boost::json::value value = boost::json::parse(shown);
  EXPECT_EQ(value.at("providers").at("a").at("api_key"), "***");
  EXPECT_EQ(value.at("providers").at("a").at("proxy"), "***");
  EXPECT_EQ(value.at("providers").at("a").at("headers").at("x-key"), "***");
  EXPECT_EQ(value.at("providers").at("b").at("api_keys"), (boost::json::array{"***", "***"}));
  EXPECT_EQ(value.at("providers").at("c").at("api_key"), "client");
  EXPECT_EQ(value.at("limits").at("max_body"), "32MiB");
  EXPECT_EQ(value.at("drain"), "30s");
}

TEST(EffectiveJson, IsAFileThatMeansTheSame) {
  const std::string shown = effective_json(load(
      with_demo("listen: [\"127.0.0.1:1\"]\nmodels: {a: demo/x, b: {targets: [demo/x, {use: demo/y, weight: 4}]}}\n"
                "routes: [{match: {header: {a: b}}, max_body: 3KiB}]\nprices: {\"x*\": {input: 0.15, output: "
                "3}}\ndrain: off\n")));
  EXPECT_EQ(effective_json(load(shown)), shown);
}

TEST(ConfigFromEnvironment, FindsProvidersByTheirUsualKeys) {
  const Config config =
      config_from_environment(with({{"OPENAI_API_KEY", "a"}, {"DASHSCOPE_API_KEY", "b"}, {"GROQ_API_KEY", ""}}));
  ASSERT_EQ(config.providers.size(), 3u);
  EXPECT_EQ(config.find_provider("openai")->api_keys[0].reveal(), "a");
  EXPECT_EQ(config.find_provider("dashscope")->base_url, "https://dashscope.aliyuncs.com/compatible-mode/v1");
  EXPECT_TRUE(config.find_provider("demo")->is_mock());
  EXPECT_EQ(config.find_model("default")->targets[0].provider, "demo");
  EXPECT_EQ(effective_json(load(effective_json(config))), effective_json(config));
}

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

const std::filesystem::path source = SLUICE_SOURCE_DIR;

TEST(Examples, AllLoadWithAndWithoutKeys) {
  const auto every_key = [](std::string_view name) -> std::optional<std::string> {
    return name == "SLUICE_WORKERS" ? std::nullopt : std::optional<std::string>("some-key");
  };
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(source / "examples")) {
    if (entry.path().extension() != ".yaml") continue;
    ++files;
    for (const Environment& variables : {with({}), Environment(every_key)}) {
      for (const Problem& problem : load_config_file(entry.path(), variables).problems)
        ADD_FAILURE() << problem.to_string();
    }
  }
  EXPECT_GE(files, 2);
}

TEST(Examples, QuickstartNeedsNoKeyAndUsesThoseItFinds) {
  const std::string text = read_text(source / "examples/quickstart.yaml");
  const Config bare = load(text, with({}));
  EXPECT_EQ(bare.providers.size(), 1u);
  EXPECT_EQ(bare.find_model("default")->targets[0].provider, "demo");
  EXPECT_FALSE(bare.disabled.empty());
  EXPECT_NE(load(text, with({{"OPENAI_API_KEY", "x"}})).find_provider("openai"), nullptr);
}

// Every key of the schema, as "providers.<name>.timeouts" and so on, is in examples/full.yaml or deliberately left out.
TEST(Examples, FullNamesEveryTopLevelKey) {
  const std::string text = read_text(source / "examples/full.yaml");
  const boost::json::value schema = boost::json::parse(config_json_schema());
  for (const auto& entry : schema.at("properties").as_object()) {
    EXPECT_THAT("\n" + text, HasSubstr(fmt::format("\n{}:", std::string_view(entry.key()))))
        << "add it to examples/full.yaml";
  }
}

TEST(Reference, DocsAreWhatTheSchemaSays) {
  const std::filesystem::path page = source / "docs/configuration.md";
  if (std::getenv("SLUICE_UPDATE_DOCS") != nullptr) std::ofstream(page) << config_reference();
  EXPECT_EQ(read_text(page), config_reference()) << "run this test once with SLUICE_UPDATE_DOCS=1";
}

TEST(Reference, TheJsonSchemaIsJson) {
  const boost::json::value schema = boost::json::parse(config_json_schema());
  EXPECT_EQ(schema.at("additionalProperties"), false);
  EXPECT_TRUE(schema.at("properties")
                  .at("providers")
                  .at("additionalProperties")
                  .at("properties")
                  .as_object()
                  .contains("api_key"));
}

}  // namespace
}  // namespace sluice
