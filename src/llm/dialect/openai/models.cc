#include "llm/dialect/openai/models.h"

#include <boost/json.hpp>

#include <unordered_set>

namespace sluice::llm::openai {
namespace {

namespace json = boost::json;

json::object to_json(const ModelEntry& model) {
  return {{"id", model.id}, {"object", "model"}, {"created", model.created}, {"owned_by", model.owned_by}};
}

const json::value* find_any(const json::object& object, std::initializer_list<json::string_view> names) {
  for (const json::string_view name : names) {
    if (const json::value* value = object.if_contains(name)) return value;
  }
  return nullptr;
}

std::string text_of(const json::value* value) {
  const json::string* text = value ? value->if_string() : nullptr;
  return text ? std::string(*text) : std::string();
}

std::int64_t seconds_of(const json::value* value) {
  if (!value) return 0;
  if (const double* number = value->if_double()) {
    return *number >= 0 && *number < 1e12 ? static_cast<std::int64_t>(*number) : 0;
  }
  const std::int64_t* number = value->if_int64();
  return number && *number >= 0 ? *number : 0;
}

ModelEntry entry_of(const json::value& value) {
  const json::object* object = value.if_object();
  if (!object) return {text_of(&value), 0, {}};
  return {text_of(find_any(*object, {"id", "name"})), seconds_of(object->if_contains("created")),
          text_of(object->if_contains("owned_by"))};
}

const json::array* list_of(const json::value& reply) {
  const json::object* object = reply.if_object();
  if (!object) return reply.if_array();
  const json::value* list = find_any(*object, {"data", "models"});
  return list ? list->if_array() : nullptr;
}

}  // namespace

std::vector<ModelEntry> parse_model_list(std::string_view text) {
  std::vector<ModelEntry> models;
  json::error_code error;
  const json::value reply = json::parse(json::string_view(text.data(), text.size()), error);
  const json::array* list = error ? nullptr : list_of(reply);
  if (!list) return models;
  std::unordered_set<std::string> known;
  for (const json::value& value : *list) {
    ModelEntry entry = entry_of(value);
    if (!entry.id.empty() && known.insert(entry.id).second) models.push_back(std::move(entry));
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
