#include "http/fields.h"

#include <algorithm>

#include "base/text.h"

namespace sluice::http {

namespace {

constexpr std::size_t usual_count = 16;  // one allocation for most messages

}  // namespace

bool same_name(std::string_view a, std::string_view b) { return text::equal_ignoring_case(a, b); }

void Fields::add(std::string_view name, std::string_view value) {
  if (fields_.capacity() == 0) fields_.reserve(usual_count);
  fields_.push_back({arena_.copy(name), arena_.copy(value)});
}

void Fields::set(std::string_view name, std::string_view value) {
  remove(name);
  add(name, value);
}

void Fields::remove(std::string_view name) {
  std::erase_if(fields_, [name](const Field& field) { return same_name(field.name, name); });
}

void Fields::clear() {
  fields_ = {};  // with its memory: a message that was sent must cost nothing while its stream goes on
  arena_.clear();
}

std::optional<std::string_view> Fields::find(std::string_view name) const {
  for (const Field& field : fields_) {
    if (same_name(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::size_t Fields::count(std::string_view name) const {
  return static_cast<std::size_t>(std::count_if(fields_.begin(), fields_.end(),
                                                [name](const Field& field) { return same_name(field.name, name); }));
}

bool Fields::lists(std::string_view name, std::string_view token) const {
  for (const Field& field : fields_) {
    if (!same_name(field.name, name)) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      if (same_name(text::trim(rest.substr(0, comma)), token)) return true;
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
  }
  return false;
}

Fields Fields::clone() const {
  Fields copy;
  copy.fields_.reserve(fields_.size());
  for (const Field& field : fields_) copy.add(field.name, field.value);
  return copy;
}

}  // namespace sluice::http
