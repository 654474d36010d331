#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "base/arena.h"

namespace sluice::http {

struct Field {
  std::string_view name;
  std::string_view value;
};

/// The header (or trailer) fields of one message, in their order. Names keep their spelling and compare without case.
/// Owns its texts; views into it live as long as it does. Move-only.
class Fields {
 public:
  Fields() = default;
  Fields(Fields&&) noexcept = default;
  Fields& operator=(Fields&&) noexcept = default;

  void add(std::string_view name, std::string_view value);
  /// Replaces every field of that name by one.
  void set(std::string_view name, std::string_view value);
  void remove(std::string_view name);
  void clear();

  std::optional<std::string_view> find(std::string_view name) const;
  /// The first value, or empty.
  std::string_view get(std::string_view name) const { return find(name).value_or(std::string_view()); }
  bool has(std::string_view name) const { return find(name).has_value(); }
  std::size_t count(std::string_view name) const;
  /// Whether a comma-separated field (`Connection`, `Transfer-Encoding`) lists `token`, in any of its lines, without
  /// case.
  bool lists(std::string_view name, std::string_view token) const;

  std::size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

  Fields clone() const;

 private:
  std::vector<Field> fields_;
  Arena arena_;
};

/// ASCII comparison without case, as RFC 9110 wants for names and tokens.
bool same_name(std::string_view a, std::string_view b);

}  // namespace sluice::http
