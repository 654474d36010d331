#pragma once

// The templates of schema.h.

#include <algorithm>

#include "base/schema.h"

namespace sluice::schema {

template <class Read>
void Reader::enter(std::string_view step, const yaml::Node& node, yaml::Position at, Read read) {
  const std::size_t length = field_.size();
  const yaml::Position outer = at_;
  if (!field_.empty() && !step.starts_with('[')) field_ += '.';
  field_ += step;
  at_ = at;
  places_[field_] = at;
  read(node);
  field_.resize(length);
  at_ = outer;
}

template <class T>
Type<T> Type<T>::must(std::function<std::string(const T&)> complaint) const {
  Type result = *this;
  result.read = [read = read, complaint = std::move(complaint)](const yaml::Node& node, T& into, Reader& reader) {
    T value = into;
    const std::size_t reported = reader.reported();
    read(node, value, reader);
    if (reader.reported() != reported) return;
    if (std::string text = complaint(value); !text.empty()) return reader.problem(std::move(text));
    into = std::move(value);
  };
  return result;
}

template <class T>
template <class Access, class Member>
Object<T>& Object<T>::field(std::string_view name, Access access, Type<Member> type, std::string_view doc,
                            Presence presence) {
  Field field;
  field.read = [access, read = type.read](const yaml::Node& node, T& into, Reader& reader) {
    read(node, std::invoke(access, into), reader);
  };
  field.show = [access, show = type.show](const T& from) { return show(std::invoke(access, from)); };
  infos_.push_back({name, doc, std::move(type.about), presence, field.show(T())});
  fields_.push_back(std::move(field));
  return *this;
}

template <class T>
Object<T>& Object<T>::later(std::initializer_list<std::string_view> names) {
  later_.assign(names);
  return *this;
}

template <class T>
Object<T>& Object<T>::finish(std::function<void(T&, Reader&)> finish) {
  finish_ = std::move(finish);
  return *this;
}

template <class T>
Type<T> Object<T>::type() const {
  Type<T> type;
  type.about = {"map", json_schema(), this, ""};
  type.read = [this](const yaml::Node& node, T& into, Reader& reader) { read(node, into, reader); };
  type.show = [this](const T& from) { return show(from); };
  return type;
}

template <class T>
void Object<T>::read(const yaml::Node& node, T& into, Reader& reader) const {
  if (!is_map(node, reader)) return;
  const std::size_t reported = reader.reported();
  for (const yaml::Entry& entry : node.entries) {
    const auto info = std::ranges::find(infos_, entry.key, &FieldInfo::name);
    if (info == infos_.end()) {
      report_unknown(entry, reader);
      continue;
    }
    const Field& field = fields_[static_cast<std::size_t>(info - infos_.begin())];
    // Nothing stands where the value should: point at the key.
    const yaml::Position at = entry.value.kind == yaml::Node::Kind::null ? entry.at : entry.value.at;
    reader.enter(entry.key, entry.value, at, [&](const yaml::Node& value) { field.read(value, into, reader); });
  }
  report_missing(node, reader);
  if (finish_ && reader.reported() == reported) finish_(into, reader);
}

template <class T>
json::value Object<T>::show(const T& from) const {
  json::object shown;
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    json::value value = fields_[i].show(from);
    if (!value.is_null()) shown[infos_[i].name] = std::move(value);
  }
  return shown;
}

}  // namespace sluice::schema
