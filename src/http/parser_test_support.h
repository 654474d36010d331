#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "http/parser.h"

/// What tests and fuzzers share: a whole message through a parser, in any slices.
namespace sluice::http::testing {

/// What a parser made of a message: to be compared between slicings.
struct Parsed {
  std::string head;  ///< start line as understood and fields, one a line
  std::string body;
  std::string trailers;
  std::string error;      ///< reason of the rejection, or the error's text
  bool complete = false;  ///< the `end` step came
  std::size_t consumed = 0;
  bool operator==(const Parsed&) const = default;
};

inline std::string to_text(const Fields& fields) {
  std::string text;
  for (const Field& field : fields) text.append(field.name).append("=").append(field.value).append("\n");
  return text;
}

inline std::string to_text(const RequestHead& head) {
  return head.method + " " + head.target + " 1." + std::to_string(head.minor) + "\n" + to_text(head.fields);
}

inline std::string to_text(const ResponseHead& head) {
  return std::to_string(head.status) + " 1." + std::to_string(head.minor) + "\n" + to_text(head.fields);
}

/// Feeds `input` to `parser`, each time no more than `slice(left)` new bytes, until the message's end, an error or the
/// input's end. Bytes that the parser does not consume are offered again, as a connection does.
template <class Parser>
Parsed parse(Parser& parser, std::string_view input, const std::function<std::size_t(std::size_t)>& slice) {
  Parsed parsed;
  std::size_t offered = 0;
  while (true) {
    const Result<ParseStep> step = parser.feed(input.substr(parsed.consumed, offered - parsed.consumed));
    if (!step) {
      parsed.error = parser.reject_reason().empty() ? step.error().text : parser.reject_reason();
      return parsed;
    }
    parsed.consumed += step->consumed;
    parsed.body += step->body;
    if (step->state == ParseStep::State::head) parsed.head = to_text(parser.head());
    if (step->state == ParseStep::State::end) {
      parsed.complete = true;
      parsed.trailers = to_text(parser.trailers());
      return parsed;
    }
    if (step->state != ParseStep::State::need_more) continue;
    if (parsed.consumed != offered) {
      parsed.error = "need_more left input unconsumed";
      return parsed;
    }
    if (offered == input.size()) return parsed;
    offered += slice(input.size() - offered);
  }
}

template <class Parser>
Parsed parse_whole(Parser& parser, std::string_view input) {
  return parse(parser, input, [](std::size_t left) { return left; });
}

template <class Parser>
Parsed parse_bytewise(Parser& parser, std::string_view input) {
  return parse(parser, input, [](std::size_t) { return std::size_t{1}; });
}

}  // namespace sluice::http::testing
