#include <fmt/format.h>

#include <algorithm>

#include "base/yaml.h"

namespace sluice::yaml {

namespace {

bool is_name(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !text.empty() && (text[0] < '0' || text[0] > '9') && std::ranges::all_of(text, allowed);
}

// One scalar on its way from source to text.
class Substitution {
 public:
  Substitution(Node& node, const Lookup& lookup) : node_(node), lookup_(lookup) {}

  void run() {
    std::string_view rest = node_.text;
    std::string result;
    bool changed = false;
    for (std::size_t at = rest.find("${"); at != std::string_view::npos; at = rest.find("${")) {
      changed = true;
      const bool escaped = at > 0 && rest[at - 1] == '$';
      result += rest.substr(0, escaped ? at - 1 : at);
      rest.remove_prefix(at + 2);
      if (escaped) {
        result += "${";
      } else if (!reference(rest, result)) {
        return;
      }
    }
    if (!changed) return;
    result += rest;
    node_.source = std::exchange(node_.text, std::move(result));
  }

 private:
  // `rest` stands behind "${" and is moved behind the closing brace.
  bool reference(std::string_view& rest, std::string& result) {
    const std::size_t end = rest.find('}');
    if (end == std::string_view::npos) return fault("\"${\" without \"}\"; write $${ for a plain ${");
    const std::string_view inside = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    const std::size_t mark = inside.find(":-");
    const std::string_view name = inside.substr(0, mark);
    if (!is_name(name))
      return fault("\"${...}\" needs a variable's name: ${NAME} or ${NAME:-default}; write $${ for a plain ${");

    const std::optional<std::string> value = lookup_(name);
    if (mark == std::string_view::npos) {
      if (!value)
        return fault(
            fmt::format("the environment variable {0} is not set; set it, or give a default: ${{{0}:-default}}", name));
      result += *value;
    } else if (value && !value->empty()) {
      result += *value;
    } else {
      if (node_.fallback_for.empty()) node_.fallback_for = name;
      result += inside.substr(mark + 2);
    }
    return true;
  }

  bool fault(std::string text) {
    node_.fault = std::move(text);
    return false;
  }

  Node& node_;
  const Lookup& lookup_;
};

}  // namespace

void substitute(Node& node, const Lookup& lookup) {
  if (node.kind == Node::Kind::scalar) Substitution(node, lookup).run();
  for (Node& item : node.items) substitute(item, lookup);
  for (Entry& entry : node.entries) substitute(entry.value, lookup);
}

}  // namespace sluice::yaml
