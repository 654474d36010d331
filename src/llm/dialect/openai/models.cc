#include "llm/dialect/openai/models.h"

#include <boost/json.hpp>

namespace sluice::llm::openai {
namespace {

namespace json = boost::json;

json::object to_json(const ModelEntry& model) {
  return {{"id", model.id}, {"object", "model"}, {"created", model.created}, {"owned_by", model.owned_by}};
}

}  // namespace

std::vector<ModelEntry> parse_model_list(std::string_view text) {
  std::vector<ModelEntry> models;
  json::error_code error;
  const json::value list = json::parse(json::string_view(text.data(), text.size()), error);
  if (error || !list.is_object()) return models;
  const json::value* data = list.get_object().if_contains("data");
  if (!data || !data->is_array()) return models;
  for (const json::value& entry : data->get_array()) {
    const json::object* object = entry.if_object();
    const json::value* id = object ? object->if_contains("id") : nullptr;
    if (!id || !id->is_string() || id->get_string().empty()) continue;
    ModelEntry model{std::string(id->get_string()), 0, {}};
    if (const json::value* created = object->if_contains("created"); created && created->is_int64())
      model.created = created->get_int64();
    if (const json::value* owner = object->if_contains("owned_by"); owner && owner->is_string())
      model.owned_by = owner->get_string();
    models.push_back(std::move(model));
  }
  return models;
}

std::string render_model_list(const std::vector<ModelEntry>& models) {
  json::array data;
  for (const ModelEntry& model : models) data.push_back(to_json(model));
  return json::serialize(json::object{{"object", "list"}, {"data", std::move(data)}});
}

std::string render_model(const ModelEntry& model) { return json::serialize(to_json(model)); }

}  // namespace sluice::llm::openai
