#include "base/schema.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tuple>

#include "base/text.h"

namespace sluice::schema {

namespace {

auto order_of(const Problem& problem) { return std::tie(problem.at.line, problem.at.column); }

bool same(const Problem& a, const Problem& b) { return a.at == b.at && a.text == b.text; }

std::string joined(std::string_view field, std::string_view key) {
  return field.empty() ? std::string(key) : fmt::format("{}.{}", field, key);
}

}  // namespace

void Reader::problem(std::string text) { problems_.push_back({at_, field_, std::move(text)}); }

void Reader::problem_with_key(const yaml::Entry& entry, std::string text) {
  problems_.push_back({entry.at, joined(field_, entry.key), std::move(text)});
}

void Reader::problem_at(std::string_view field, std::string text) {
  for (std::string_view around = field; !around.empty();) {
    if (const auto place = places_.find(around); place != places_.end()) {
      problems_.push_back({place->second, std::string(around), std::move(text)});
      return;
    }
    const std::size_t end = around.find_last_of(".[");
    around = around.substr(0, end == std::string_view::npos ? 0 : end);
  }
  problems_.push_back({{}, std::string(field), std::move(text)});
}

std::vector<Problem> Reader::take_problems() {
  std::ranges::stable_sort(problems_, {}, order_of);
  const auto repeated = std::ranges::unique(problems_, same);
  problems_.erase(repeated.begin(), repeated.end());
  return std::move(problems_);
}

json::object ObjectBase::json_schema() const {
  json::object properties;
  json::array required;
  for (const FieldInfo& field : infos_) {
    json::object property = field.about.schema;
    property["description"] = field.doc;
    if (!field.initial.is_null()) property["default"] = field.initial;
    properties[field.name] = std::move(property);
    if (field.presence == Presence::required) required.push_back(json::value(field.name));
  }
  json::object schema{{"type", "object"}, {"additionalProperties", false}, {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

void ObjectBase::report_unknown(const yaml::Entry& entry, Reader& reader) const {
  if (std::ranges::find(later_, entry.key) != later_.end()) {
    return reader.problem_with_key(entry, "not available in this version; remove it");
  }
  std::vector<std::string_view> names;
  for (const FieldInfo& field : infos_) names.push_back(field.name);
  const std::string_view meant = text::nearest(entry.key, names);
  reader.problem_with_key(entry, meant.empty()
                                     ? fmt::format("unknown key; the keys here are {}", fmt::join(names, ", "))
                                     : fmt::format("unknown key; did you mean \"{}\"?", meant));
}

void ObjectBase::report_missing(const yaml::Node& node, Reader& reader) const {
  for (const FieldInfo& field : infos_) {
    if (field.presence == Presence::required && node.find(field.name) == nullptr) {
      reader.problem(fmt::format("\"{}\" is missing; add it: {}", field.name, field.doc));
    }
  }
}

bool ObjectBase::is_map(const yaml::Node& node, Reader& reader) const {
  if (node.kind == yaml::Node::Kind::map || node.kind == yaml::Node::Kind::null) return true;
  std::vector<std::string_view> names;
  for (const FieldInfo& field : infos_) names.push_back(field.name);
  reader.problem(fmt::format("must be a map with keys of {}", fmt::join(names, ", ")));
  return false;
}

}  // namespace sluice::schema
