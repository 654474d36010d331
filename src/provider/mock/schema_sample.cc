#include "provider/mock/schema_sample.h"

#include <array>
#include <optional>

#include "provider/mock/json_text.h"

namespace sluice::mock {
namespace {

using Json = simdjson::dom::element;
constexpr unsigned deepest = 16;

std::optional<Json> member(Json object, std::string_view name) {
  Json value;
  if (object[name].get(value)) return std::nullopt;
  return value;
}

/// The first of a list, if it is one.
std::optional<Json> first_of(Json object, std::string_view name) {
  simdjson::dom::array list;
  if (object[name].get(list) || list.size() == 0) return std::nullopt;
  return list.at(0).value();
}

std::string_view type_of(Json schema) {
  std::string_view type;
  if (!schema["type"].get(type)) return type;
  if (const auto first = first_of(schema, "type"); first && !first->get(type)) return type;
  return member(schema, "properties") ? "object" : "string";
}

void append_object(std::string& out, Json schema, unsigned depth) {
  out += '{';
  simdjson::dom::object properties;
  if (!schema["properties"].get(properties)) {
    bool first = true;
    for (const auto& [name, value] : properties) {
      if (!first) out += ',';
      first = false;
      append_quoted(out, name);
      out += ':';
      append_sample(out, value, name, depth + 1);
    }
  }
  out += '}';
}

void append_array(std::string& out, Json schema, std::string_view name, unsigned depth) {
  out += '[';
  if (const auto items = member(schema, "items")) append_sample(out, *items, name, depth + 1);
  out += ']';
}

}  // namespace

void append_sample(std::string& out, Json schema, std::string_view name, unsigned depth) {
  if (depth > deepest || !schema.is_object()) {
    out += "null";
    return;
  }
  for (const auto& given : {member(schema, "const"), first_of(schema, "enum")}) {
    if (!given) continue;
    out += simdjson::minify(*given);
    return;
  }
  if (const auto variant = first_of(schema, "anyOf")) return append_sample(out, *variant, name, depth + 1);
  const std::string_view type = type_of(schema);
  if (type == "object") return append_object(out, schema, depth);
  if (type == "array") return append_array(out, schema, name, depth);
  if (type == "string") return append_quoted(out, std::string("mock ") + std::string(name));
  if (type == "integer") {
    out += '7';
  } else if (type == "number") {
    out += "1.5";
  } else {
    out += type == "boolean" ? "true" : "null";
  }
}

}  // namespace sluice::mock
