#pragma once

#include <string>

#include "base/schema.h"

/// What is generated from a schema for people and for editors.
namespace sluice::schema {

/// Markdown: one section with a table of keys for the top level and one for every map below it.
std::string reference(const ObjectBase& root);

/// The whole JSON Schema (draft 2020-12) of files whose top level is `root`.
json::object json_schema_document(const ObjectBase& root, std::string_view title);

/// JSON with two spaces a level, keys in their order, and an end of line.
std::string pretty(const json::value& value);

}  // namespace sluice::schema
