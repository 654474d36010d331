#pragma once

#include <boost/json.hpp>

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/yaml.h"

/// One declaration per configuration struct, from which come its reading and checking, its rendering, its JSON Schema
/// and its page of documentation:
///
///     static const auto cors = Object<CorsConfig>("What browsers may do.")
///         .field("origins", &CorsConfig::origins, list_of(text()), "Allowed origins.")
///         .field("max_age", &CorsConfig::max_age, duration(), "How long a browser may keep the answer.");
///
/// Defaults are what the struct's own initialisers say. Everything here is built once and then only read, by any
/// thread.
namespace sluice::schema {

namespace json = boost::json;

/// One thing that is wrong with a value, or with the place where a value should be.
struct Problem {
  yaml::Position at;
  std::string field;  ///< "models.smart.targets[0].use"
  std::string text;   ///< what is wrong, and the remedy; never a secret
};

/// The state of one reading: where it is, and what was found. Not thread-safe.
class Reader {
 public:
  /// `root`: where the whole value stands.
  explicit Reader(yaml::Position root) : at_(root) {}

  /// Reports about the value that is being read.
  void problem(std::string text);
  /// Reports about the key of an entry of the value that is being read.
  void problem_with_key(const yaml::Entry& entry, std::string text);
  /// Reports about a value that was read before, or the nearest one around it: for checks between values.
  void problem_at(std::string_view field, std::string text);
  void note(std::string text) { notes_.push_back(std::move(text)); }

  /// Reads `node`, found under `step` ("timeouts", "[0]") of the current value.
  template <class Read>
  void enter(std::string_view step, const yaml::Node& node, yaml::Position at, Read read);

  const std::string& field() const { return field_; }
  /// How many problems there are so far.
  std::size_t reported() const { return problems_.size(); }
  /// Everything reported so far, in the order of the document, without repetitions.
  std::vector<Problem> take_problems();
  std::vector<std::string> take_notes() { return std::move(notes_); }

 private:
  std::string field_;
  yaml::Position at_;
  std::map<std::string, yaml::Position, std::less<>> places_;
  std::vector<Problem> problems_;
  std::vector<std::string> notes_;
};

class ObjectBase;

/// What documentation and editors need to know of a kind of value.
struct About {
  std::string type;                    ///< for people: "duration", "list of texts"
  json::object schema;                 ///< JSON Schema
  const ObjectBase* object = nullptr;  ///< the keys, if the value (or each item of it) is a map
  std::string suffix;                  ///< what the path of `object` has behind the field's own: "", "[]", ".<name>"
};

/// How one kind of value is read, shown and described.
template <class T>
struct Type {
  About about;
  /// Changes `into` only if the node is good, else reports. Called with the reader at the node.
  std::function<void(const yaml::Node& node, T& into, Reader& reader)> read;
  /// The value as a file would spell it, secrets redacted; null: not set.
  std::function<json::value(const T&)> show;

  /// The same type with a further condition: `complaint` gives what is wrong with a value, or an empty text.
  Type must(std::function<std::string(const T&)> complaint) const;
};

enum class Presence : unsigned char { optional, required };

/// The part of an Object that does not depend on its struct: names and descriptions.
class ObjectBase {
 public:
  struct FieldInfo {
    std::string_view name;
    std::string_view doc;
    About about;
    Presence presence;
    json::value initial;  ///< the default as shown
  };

  explicit ObjectBase(std::string_view summary) : summary_(summary) {}

  std::string_view summary() const { return summary_; }
  std::span<const FieldInfo> fields() const { return infos_; }
  json::object json_schema() const;

 protected:
  void report_unknown(const yaml::Entry& entry, Reader& reader) const;
  void report_missing(const yaml::Node& node, Reader& reader) const;
  /// Whether `node` is a map (or nothing, which stands for an empty one); reports otherwise.
  bool is_map(const yaml::Node& node, Reader& reader) const;

  std::string_view summary_;
  std::vector<FieldInfo> infos_;
  std::vector<std::string_view> later_;
};

/// The declaration of struct T. Text arguments must be literals.
template <class T>
class Object : public ObjectBase {
 public:
  using ObjectBase::ObjectBase;

  /// A key. `access` gives the value inside T: a member pointer, or a callable `[](auto& t) -> auto& {...}`; a key that
  /// concerns several members has a `Type<T>` and `whole`.
  template <class Access, class Member>
  Object& field(std::string_view name, Access access, Type<Member> type, std::string_view doc,
                Presence presence = Presence::optional);
  /// Keys that later versions will know.
  Object& later(std::initializer_list<std::string_view> names);
  /// Called after all keys were read, if nothing was wrong with them: completes and cross-checks the struct.
  Object& finish(std::function<void(T&, Reader&)> finish);

  /// REQUIRES: this object lives as long as what it returns.
  Type<T> type() const;
  void read(const yaml::Node& node, T& into, Reader& reader) const;
  json::value show(const T& from) const;

 private:
  struct Field {
    std::function<void(const yaml::Node&, T&, Reader&)> read;
    std::function<json::value(const T&)> show;
  };
  std::vector<Field> fields_;  // parallel to infos_
  std::function<void(T&, Reader&)> finish_;
};

/// The access of a key that concerns all of its struct.
inline constexpr auto whole = [](auto& object) -> auto& { return object; };

}  // namespace sluice::schema

#include "base/schema_impl.h"
