#pragma once

// The templates of schema_types.h.

#include <fmt/format.h>

#include "base/schema_types.h"

namespace sluice::schema {

/// Reads every item of a list. In schema_types.cc: says what a list must look like.
bool is_list(const yaml::Node& node, const About& item, Reader& reader);
bool is_map_of(const yaml::Node& node, std::string_view placeholder, const About& item, Reader& reader);
json::object any_of(const json::object& a, const json::object& b);

template <class T, class From>
Type<T> as(Type<From> type) {
  Type<T> result;
  result.about = type.about;
  result.read = [read = type.read](const yaml::Node& node, T& into, Reader& reader) {
    From value = static_cast<From>(into);
    read(node, value, reader);
    into = static_cast<T>(value);
  };
  result.show = [show = type.show](const T& value) { return show(static_cast<From>(value)); };
  return result;
}

template <class T>
Type<std::optional<T>> maybe(Type<T> type) {
  Type<std::optional<T>> result;
  result.about = type.about;
  result.read = [read = type.read](const yaml::Node& node, std::optional<T>& into, Reader& reader) {
    T value{};
    read(node, value, reader);
    into = std::move(value);
  };
  result.show = [show = type.show](const std::optional<T>& value) { return value ? show(*value) : json::value(); };
  return result;
}

template <class T, class Member>
Type<T> shorthand(Member T::*member, Type<Member> type) {
  Type<T> result;
  result.about = type.about;
  result.read = [member, read = type.read](const yaml::Node& node, T& into, Reader& reader) {
    read(node, into.*member, reader);
  };
  result.show = [member, show = type.show](const T& value) { return show(value.*member); };
  return result;
}

template <class T>
Type<T> either(Type<T> scalar, Type<T> other) {
  Type<T> result;
  result.about = other.about;
  result.about.type = fmt::format("{} or {}", scalar.about.type, other.about.type);
  result.about.schema = any_of(scalar.about.schema, other.about.schema);
  result.read = [scalar = scalar.read, other = other.read](const yaml::Node& node, T& into, Reader& reader) {
    (node.kind == yaml::Node::Kind::scalar ? scalar : other)(node, into, reader);
  };
  result.show = other.show;
  return result;
}

template <class T>
Type<std::vector<T>> list_of(Type<T> item) {
  Type<std::vector<T>> result;
  result.about = {fmt::format("list of {}", item.about.type),
                  {{"type", "array"}, {"items", item.about.schema}},
                  item.about.object,
                  "[]"};
  result.read = [item](const yaml::Node& node, std::vector<T>& into, Reader& reader) {
    if (!is_list(node, item.about, reader)) return;
    into.clear();
    for (const yaml::Node& entry : node.items) {
      reader.enter(fmt::format("[{}]", into.size()), entry, entry.at,
                   [&](const yaml::Node& value) { item.read(value, into.emplace_back(), reader); });
    }
  };
  result.show = [show = item.show](const std::vector<T>& items) {
    json::array shown;
    for (const T& value : items) shown.push_back(show(value));
    return shown;
  };
  return result;
}

template <class T>
Type<std::vector<T>> one_or_more(Type<T> item) {
  Type<std::vector<T>> result = list_of(item);
  result.about.type = fmt::format("{}, or a list of such", item.about.type);
  result.about.schema = any_of(item.about.schema, result.about.schema);
  result.read = [item, list = result.read](const yaml::Node& node, std::vector<T>& into, Reader& reader) {
    if (node.kind == yaml::Node::Kind::sequence) return list(node, into, reader);
    into.clear();
    item.read(node, into.emplace_back(), reader);
  };
  return result;
}

template <class T>
Type<std::vector<T>> map_of(std::string_view placeholder, std::string T::*name, Type<T> item,
                            std::function<std::string(std::string_view)> complaint) {
  Type<std::vector<T>> result;
  result.about = {fmt::format("map of {} to {}", placeholder, item.about.type),
                  {{"type", "object"}, {"additionalProperties", item.about.schema}},
                  item.about.object,
                  fmt::format(".<{}>", placeholder)};
  result.read = [=](const yaml::Node& node, std::vector<T>& into, Reader& reader) {
    if (!is_map_of(node, placeholder, item.about, reader)) return;
    into.clear();
    for (const yaml::Entry& entry : node.entries) {
      std::string wrong = complaint ? complaint(entry.key) : std::string();
      if (!wrong.empty()) reader.problem_with_key(entry, std::move(wrong));
      T& value = into.emplace_back();
      value.*name = entry.key;
      const yaml::Position at = entry.value.kind == yaml::Node::Kind::scalar ? entry.value.at : entry.at;
      reader.enter(entry.key, entry.value, at, [&](const yaml::Node& inner) { item.read(inner, value, reader); });
    }
  };
  result.show = [name, show = item.show](const std::vector<T>& items) {
    json::object shown;
    for (const T& value : items) shown[value.*name] = show(value);
    return shown;
  };
  return result;
}

}  // namespace sluice::schema
