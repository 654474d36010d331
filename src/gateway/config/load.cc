#include "gateway/config/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/file.h"
#include "base/schema_docs.h"
#include "base/yaml.h"
#include "gateway/config/schema.h"
#include "provider/presets.h"

namespace sluice {

namespace {

LoadedConfig failed(Problem problem) { return {std::nullopt, {std::move(problem)}}; }

std::vector<Problem> in_file(const std::string& file, std::vector<schema::Problem> problems) {
  std::vector<Problem> result;
  for (schema::Problem& problem : problems) {
    result.push_back({file, problem.at.line, problem.at.column, std::move(problem.field), std::move(problem.text)});
  }
  return result;
}

}  // namespace

Environment process_environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* const value = std::getenv(std::string(name).c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

std::string Problem::to_string() const {
  const std::string place = line > 0 ? fmt::format("{}:{}:{}", file, line, column) : file;
  return field.empty() ? fmt::format("{}: {}", place, text) : fmt::format("{}: {}: {}", place, field, text);
}

LoadedConfig load_config_text(std::string_view text, const std::string& filename, const Environment& environment) {
  auto root = yaml::parse(text);
  if (!root) return failed({filename, root.error().at.line, root.error().at.column, "", std::move(root.error().text)});
  yaml::substitute(*root, environment);

  Config config;
  schema::Reader reader(root->at);
  config_schema().read(*root, config, reader);
  check_config(config, reader);
  if (auto problems = reader.take_problems(); !problems.empty())
    return {std::nullopt, in_file(filename, std::move(problems))};
  return {std::move(config), {}};
}

LoadedConfig load_config_file(const std::string& path, const Environment& environment) {
  const Result<std::string> text = read_file(path, yaml::Limits().bytes);
  if (!text) return failed({path, 0, 0, "", fmt::format("cannot read the file: {}", text.error().text)});
  return load_config_text(*text, path, environment);
}

Config config_from_environment(const Environment& environment) {
  Config config;
  for (const ProviderPreset& preset : provider_presets()) {
    if (preset.key_env.empty()) continue;
    std::string key = environment(preset.key_env).value_or("");
    if (key.empty()) continue;
    ProviderConfig& provider = config.providers.emplace_back();
    provider.name = provider.type = preset.type;
    provider.base_url = preset.base_url;
    provider.api_keys.push_back(Secret(std::move(key)));
    config.notes.push_back(fmt::format("provider {} is here because {} is set", preset.type, preset.key_env));
  }
  ProviderConfig& demo = config.providers.emplace_back();
  demo.name = "demo";
  demo.type = "mock";
  config.models.push_back({"default", {{"demo", demo.mock.models.front(), 1}}});
  return config;
}

std::string effective_json(const Config& config) { return schema::pretty(config_schema().show(config)); }

std::string config_json_schema() {
  return schema::pretty(schema::json_schema_document(config_schema(), "Configuration of Sluice"));
}

}  // namespace sluice
