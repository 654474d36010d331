#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

/// A YAML document as a plain tree that knows where each value stood. Reading is bounded: in bytes, depth, and number
/// of values (counted after aliases are expanded, so a "billion laughs" ends early). Merge keys and several documents
/// are refused.
namespace sluice::yaml {

/// Counted from 1; 0: no place.
struct Position {
  int line = 0;
  int column = 0;
  bool operator==(const Position&) const = default;
};

struct Entry;

struct Node {
  enum class Kind : unsigned char { null, scalar, sequence, map };
  Kind kind = Kind::null;
  bool quoted = false;  ///< scalar in quotes or block form: `"5"` is a text to those who care
  Position at;
  std::string text;          ///< scalar: its value, after `substitute` with variables replaced
  std::string source;        ///< scalar: as written, if `substitute` changed it; may be shown to people, unlike `text`
  std::string fallback_for;  ///< scalar: the variable that was missing and whose `:-` default was used, or empty
  std::string fault;         ///< scalar: why `substitute` could not do its work, for whoever reads the value to report
  std::vector<Node> items;   ///< sequence
  std::vector<Entry> entries;  ///< map, in their order

  /// What may be shown of a scalar: never the value of a variable.
  const std::string& shown() const { return source.empty() ? text : source; }
  const Node* find(std::string_view key) const;
};

struct Entry {
  std::string key;
  Position at;
  Node value;
};

/// Something wrong with the text, at a place.
struct Fault {
  Position at;
  std::string text;
};

struct Limits {
  std::size_t bytes = 1024 * 1024;
  std::size_t depth = 24;
  std::size_t nodes = 50'000;
};

/// The document, or the one fault that ended reading. An empty text is a null node. Never throws.
tl::expected<Node, Fault> parse(std::string_view text, const Limits& limits = {});

/// Where `${NAME}` is looked up.
using Lookup = std::function<std::optional<std::string>(std::string_view name)>;

/// Replaces `${NAME}` and `${NAME:-default}` in every scalar below `node`; the default is also used for an empty
/// variable, as in a shell. `$${` stands for a plain `${`. A scalar with a missing variable or a broken reference gets
/// a `fault`.
void substitute(Node& node, const Lookup& lookup);

}  // namespace sluice::yaml
