#include "base/schema_types.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>

#include "base/file.h"
#include "base/text.h"
#include "base/units.h"

namespace sluice::schema {

namespace {

using Kind = yaml::Node::Kind;

constexpr std::size_t max_secret_bytes = 64 * 1024;
constexpr std::size_t max_file_bytes = 4 * 1024 * 1024;

// A scalar that has a value; reports otherwise.
bool is_scalar(const yaml::Node& node, std::string_view expected, Reader& reader) {
  if (node.kind == Kind::scalar && node.fault.empty()) return true;
  if (node.kind == Kind::scalar) {
    reader.problem(node.fault);
  } else if (node.kind == Kind::null) {
    reader.problem(fmt::format("has no value; give it {}, or remove the key", expected));
  } else {
    reader.problem(fmt::format("must be {}, not a {}", expected, node.kind == Kind::map ? "map" : "list"));
  }
  return false;
}

// Variables in numbers, flags and names: editors must accept them there too.
json::object or_reference(json::object schema) { return any_of(schema, {{"$ref", "#/$defs/reference"}}); }

// A type whose values are scalars that `parse` understands.
template <class T>
Type<T> scalar(About about, std::string expected, std::function<std::optional<T>(std::string_view)> parse,
               std::function<json::value(const T&)> show) {
  Type<T> type;
  type.about = std::move(about);
  type.read = [expected, parse = std::move(parse)](const yaml::Node& node, T& into, Reader& reader) {
    if (!is_scalar(node, expected, reader)) return;
    if (std::optional<T> value = parse(node.text)) {
      into = std::move(*value);
    } else {
      reader.problem(fmt::format("must be {}, not \"{}\"", expected, node.shown()));
    }
  };
  type.show = std::move(show);
  return type;
}

template <class T>
std::optional<T> parse_number(std::string_view text, T least, T most) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= least && value <= most))
    return std::nullopt;
  return value;
}

template <class T>
Type<T> numeric(std::string_view kind, std::string_view json_type, T least, T most) {
  const bool open = most == std::numeric_limits<T>::max();
  const std::string range = open ? fmt::format("{} or more", least) : fmt::format("{} to {}", least, most);
  json::object schema{{"type", json_type}, {"minimum", least}};
  if (!open) schema["maximum"] = most;
  return scalar<T>(
      {fmt::format("{}, {}", kind, range), or_reference(std::move(schema))}, fmt::format("a {}, {}", kind, range),
      [=](std::string_view text) { return parse_number<T>(text, least, most); },
      [](const T& value) { return json::value(value); });
}

std::optional<Duration> parse_time(std::string_view text, Zero zero) {
  if (zero == Zero::off && text == "off") return Duration::zero();
  const std::optional<Duration> value = units::parse_duration(text);
  if (!value || *value > std::chrono::hours(24 * 366)) return std::nullopt;
  if (zero == Zero::refused && *value == Duration::zero()) return std::nullopt;
  return value;
}

std::optional<std::string> parse_name(std::string_view text, const std::vector<std::string_view>& names) {
  if (std::ranges::find(names, text) == names.end()) return std::nullopt;
  return std::string(text);
}

void read_one_of(const yaml::Node& node, std::string& into, Reader& reader, const std::vector<std::string_view>& names,
                 const std::vector<std::string_view>& later) {
  const std::string choices = fmt::format("{}", fmt::join(names, ", "));
  if (!is_scalar(node, fmt::format("one of {}", choices), reader)) return;
  if (auto name = parse_name(node.text, names)) {
    into = std::move(*name);
  } else if (parse_name(node.text, later)) {
    reader.problem(fmt::format("\"{}\" is not available in this version; use one of {}", node.shown(), choices));
  } else {
    const std::string_view meant = node.source.empty() ? text::nearest(node.text, names) : std::string_view();
    const std::string hint = meant.empty() ? std::string() : fmt::format("; did you mean \"{}\"?", meant);
    reader.problem(fmt::format("must be one of {}, not \"{}\"{}", choices, node.shown(), hint));
  }
}

std::optional<Secret> read_secret_file(const yaml::Node& path, Reader& reader) {
  if (!is_scalar(path, "the path of a file", reader)) return std::nullopt;
  Result<std::string> content = read_file(path.text, max_secret_bytes);
  if (!content) {
    reader.problem(fmt::format("cannot read {}: {}", path.shown(), content.error().text));
    return std::nullopt;
  }
  const std::size_t end = content->find_last_not_of("\r\n");
  if (end == std::string::npos) {
    reader.problem(fmt::format("{} is empty; write the secret into it", path.shown()));
    return std::nullopt;
  }
  content->resize(end + 1);
  return Secret(std::move(*content));
}

json::object text_schema() { return {{"type", json::array{"string", "number", "boolean"}}}; }

}  // namespace

json::object any_of(const json::object& a, const json::object& b) { return {{"anyOf", json::array{a, b}}}; }

bool is_list(const yaml::Node& node, const About& item, Reader& reader) {
  if (node.kind == Kind::sequence) return true;
  reader.problem(fmt::format("must be a list: put brackets around it, [...]; each item is a {}", item.type));
  return false;
}

bool is_map_of(const yaml::Node& node, std::string_view placeholder, const About& item, Reader& reader) {
  if (node.kind == Kind::map || node.kind == Kind::null) return true;
  reader.problem(fmt::format("must be a map: <{}>: {}", placeholder, item.type));
  return false;
}

Type<std::string> text() {
  return scalar<std::string>(
      {"text", text_schema()}, "a text that is not empty",
      [](std::string_view text) { return text.empty() ? std::nullopt : std::optional<std::string>(text); },
      [](const std::string& text) { return text.empty() ? json::value() : json::value(text); });
}

Type<std::string> file() {
  Type<std::string> type = text().must([](const std::string& path) {
    const Result<std::string> content = read_file(path, max_file_bytes);
    return content ? std::string() : fmt::format("cannot read the file: {}", content.error().text);
  });
  type.about.type = "file";
  return type;
}

Type<bool> boolean() {
  return scalar<bool>(
      {"true or false", or_reference({{"type", "boolean"}})}, "true or false",
      [](std::string_view text) {
        return text == "true" ? std::optional(true) : text == "false" ? std::optional(false) : std::nullopt;
      },
      [](const bool& value) { return json::value(value); });
}

Type<std::uint64_t> integer(std::uint64_t least, std::uint64_t most) {
  return numeric("whole number", "integer", least, most);
}

Type<double> number(double least, double most) { return numeric("number", "number", least, most); }

Type<std::uint64_t> size(std::uint64_t least, std::uint64_t most) {
  const std::string range = fmt::format("{} to {}", units::format_size(least), units::format_size(most));
  const auto parse = [=](std::string_view text) {
    const std::optional<std::uint64_t> value = units::parse_size(text);
    return value && *value >= least && *value <= most ? value : std::nullopt;
  };
  json::object schema{
      {"type", json::array{"string", "integer"}}, {"minimum", least}, {"pattern", R"(^[0-9.]+ ?([kKMGT]i?)?B?$|\$\{)"}};
  return scalar<std::uint64_t>({"size, " + range, std::move(schema)}, fmt::format("a size like 64KiB, {}", range),
                               parse,
                               [](const std::uint64_t& bytes) { return json::value(units::format_size(bytes)); });
}

Type<Duration> duration(Zero zero) {
  const std::string_view off = zero == Zero::off ? " or off" : "";
  json::object schema{{"type", json::array{"string", "integer"}},
                      {"maximum", 0},
                      {"pattern", R"(^([0-9.]+(ns|us|ms|s|m|h|d))+$|^0$|^off$|\$\{)"}};
  return scalar<Duration>(
      {fmt::format("duration{}", off), std::move(schema)},
      fmt::format("a duration like 200ms, 30s or 1m30s{}", zero == Zero::off ? ", or off" : ", more than 0"),
      [zero](std::string_view text) { return parse_time(text, zero); },
      [zero](const Duration& value) {
        return json::value(zero == Zero::off && value == Duration::zero() ? "off" : units::format_duration(value));
      });
}

Type<std::string> one_of(std::vector<std::string_view> names, std::vector<std::string_view> later) {
  Type<std::string> type;
  json::array values;
  for (const std::string_view name : names) values.push_back(json::value(name));
  type.about = {fmt::format("one of `{}`", fmt::join(names, "`, `")), or_reference({{"enum", std::move(values)}})};
  type.read = [=](const yaml::Node& node, std::string& into, Reader& reader) {
    read_one_of(node, into, reader, names, later);
  };
  type.show = [](const std::string& name) { return name.empty() ? json::value() : json::value(name); };
  return type;
}

std::optional<Secret> read_secret(const yaml::Node& node, Reader& reader) {
  if (node.kind == Kind::map && node.entries.size() == 1 && node.entries[0].key == "file") {
    return read_secret_file(node.entries[0].value, reader);
  }
  // Nothing of the value, nor of a key in its place, may be quoted here.
  if (!is_scalar(node, "a text, or {file: PATH} to read it from a file", reader)) return std::nullopt;
  if (!node.text.empty()) return Secret(node.text);
  reader.problem("is empty; give it a text, or {file: PATH} to read it from a file");
  return std::nullopt;
}

Type<Secret> secret() {
  Type<Secret> type;
  json::object file{{"type", "object"},
                    {"additionalProperties", false},
                    {"properties", {{"file", {{"type", "string"}}}}},
                    {"required", json::array{"file"}}};
  type.about = {"secret", any_of(text_schema(), file)};
  type.read = [](const yaml::Node& node, Secret& into, Reader& reader) {
    if (auto value = read_secret(node, reader)) into = std::move(*value);
  };
  type.show = [](const Secret& secret) { return secret.empty() ? json::value() : json::value(Secret::redacted); };
  return type;
}

}  // namespace sluice::schema
