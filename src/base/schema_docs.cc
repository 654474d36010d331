#include "base/schema_docs.h"

#include <fmt/format.h>

#include <iterator>

namespace sluice::schema {

namespace {

using Out = std::back_insert_iterator<std::string>;

// As GitHub makes anchors of headings.
std::string anchor(std::string_view heading) {
  std::string result;
  for (const char c : heading) {
    const bool kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (kept) result += c;
  }
  return result;
}

std::string cell(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '|') result += '\\';
    result += c;
  }
  return result;
}

bool is_empty(const json::value& value) {
  return value.is_null() || (value.is_array() && value.get_array().empty()) ||
         (value.is_object() && value.get_object().empty());
}

// Boost.JSON writes 0.15 as 1.5E-1.
std::string scalar(const json::value& value) {
  return value.is_double() ? fmt::format("{}", value.get_double()) : json::serialize(value);
}

std::string initial_of(const ObjectBase::FieldInfo& field) {
  if (field.presence == Presence::required) return "required";
  if (is_empty(field.initial) || field.initial.is_object()) return "";
  const std::string shown = field.initial.is_string() ? std::string(field.initial.get_string()) : scalar(field.initial);
  return fmt::format("`{}`", shown);
}

void section(Out out, const ObjectBase& object, const std::string& path) {
  if (path.empty()) {
    fmt::format_to(out, "## Top level\n\n");
  } else {
    fmt::format_to(out, "\n## `{}`\n\n", path);
  }
  fmt::format_to(out, "{}\n\n| key | value | default | meaning |\n|---|---|---|---|\n", object.summary());
  const std::string prefix = path.empty() ? "" : path + ".";
  for (const ObjectBase::FieldInfo& field : object.fields()) {
    const std::string below = fmt::format("{}{}{}", prefix, field.name, field.about.suffix);
    const std::string value =
        field.about.object ? fmt::format("[{}](#{})", field.about.type, anchor(below)) : field.about.type;
    fmt::format_to(out, "| `{}` | {} | {} | {} |\n", field.name, cell(value), cell(initial_of(field)), cell(field.doc));
  }
  for (const ObjectBase::FieldInfo& field : object.fields()) {
    if (field.about.object)
      section(out, *field.about.object, fmt::format("{}{}{}", prefix, field.name, field.about.suffix));
  }
}

// Calls `write_item` between brackets, one item a line.
template <class Items, class WriteItem>
void bracketed(std::string& out, std::size_t depth, std::string_view brackets, const Items& items,
               WriteItem write_item) {
  out += brackets[0];
  bool first = true;
  for (const auto& item : items) {
    out += std::exchange(first, false) ? "\n" : ",\n";
    out.append(2 * (depth + 1), ' ');
    write_item(item);
  }
  if (!first) out.append("\n").append(2 * depth, ' ');
  out += brackets[1];
}

void write(std::string& out, const json::value& value, std::size_t depth) {
  if (value.is_object()) {
    bracketed(out, depth, "{}", value.get_object(), [&](const auto& entry) {
      out += json::serialize(json::value(entry.key())) + ": ";
      write(out, entry.value(), depth + 1);
    });
  } else if (value.is_array()) {
    bracketed(out, depth, "[]", value.get_array(), [&](const auto& item) { write(out, item, depth + 1); });
  } else {
    out += scalar(value);
  }
}

}  // namespace

std::string reference(const ObjectBase& root) {
  std::string text;
  section(std::back_inserter(text), root, "");
  return text;
}

json::object json_schema_document(const ObjectBase& root, std::string_view title) {
  json::object document{{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", title}};
  for (const auto& entry : root.json_schema()) document[entry.key()] = entry.value();
  document["$defs"] = json::object{{"reference", {{"type", "string"}, {"pattern", R"(\$\{)"}}}};
  return document;
}

std::string pretty(const json::value& value) {
  std::string out;
  write(out, value, 0);
  out += '\n';
  return out;
}

}  // namespace sluice::schema
