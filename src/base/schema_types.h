#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>

#include "base/clock.h"
#include "base/schema.h"
#include "base/secret.h"

/// The kinds of values that configurations are made of.
namespace sluice::schema {

/// Any scalar, not empty.
Type<std::string> text();
/// The path of a file that can be read now.
Type<std::string> file();
/// `true` or `false`.
Type<bool> boolean();
/// A whole number within bounds.
Type<std::uint64_t> integer(std::uint64_t least, std::uint64_t most);
Type<double> number(double least, double most);
/// "64KiB" and the like, within bounds.
Type<std::uint64_t> size(std::uint64_t least, std::uint64_t most = std::uint64_t{1} << 50);

enum class Zero : unsigned char {
  refused,
  off  ///< "off" and 0 are allowed, and mean that there is no such time
};
/// "1m30s" and the like, at most a year.
Type<Duration> duration(Zero zero = Zero::refused);

/// One of a few names; `later` are those that later versions will know.
Type<std::string> one_of(std::vector<std::string_view> names, std::vector<std::string_view> later = {});

/// A text, or `{file: PATH}` whose content (without the line end) is the text. Shown as "***".
Type<Secret> secret();
/// The secret that `node` spells, or nothing after reporting why.
std::optional<Secret> read_secret(const yaml::Node& node, Reader& reader);

/// `type`, read into another kind of number (which must have room for what `type` allows).
template <class T, class From>
Type<T> as(Type<From> type);
/// `type`, for a value that need not be there.
template <class T>
Type<std::optional<T>> maybe(Type<T> type);
/// `type` of one member stands for the whole struct.
template <class T, class Member>
Type<T> shorthand(Member T::*member, Type<Member> type);
/// A scalar is read (and described) as `scalar`, everything else as `other`; shown as `other`.
template <class T>
Type<T> either(Type<T> scalar, Type<T> other);
template <class T>
Type<std::vector<T>> list_of(Type<T> item);
/// A list, or a single item without the brackets.
template <class T>
Type<std::vector<T>> one_or_more(Type<T> item);
/// A map from names to items, in the order of the file; `name` is the item's member that holds the key. `complaint`
/// says what is wrong with a name, or nothing.
template <class T>
Type<std::vector<T>> map_of(std::string_view placeholder, std::string T::*name, Type<T> item,
                            std::function<std::string(std::string_view)> complaint = nullptr);

}  // namespace sluice::schema

#include "base/schema_types_impl.h"
