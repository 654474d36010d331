#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>

namespace sluice::mock {

/// Appends a JSON value that fits a JSON Schema as far as tools and structured outputs use it: type, properties, items,
/// enum, const, anyOf. `name` flavours texts. References are not followed.
void append_sample(std::string& out, simdjson::dom::element schema, std::string_view name, unsigned depth = 0);

}  // namespace sluice::mock
