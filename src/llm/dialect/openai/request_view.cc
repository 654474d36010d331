#include "llm/dialect/openai/request_view.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "llm/json_splice.h"

namespace sluice::llm::openai {
namespace {

tl::unexpected<Error> wrong_type(std::string_view field, std::string_view wanted) {
  return fail(ErrorKind::bad_request, ErrorSource::client, fmt::format("'{}' must be {}.", field, wanted));
}

/// A positive whole number however it is spelled (1, 1.0, 1e1); 0 for anything else.
std::size_t whole_number(std::string_view value) {
  constexpr double largest = 1e6;
  double number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  const bool whole = error == std::errc() && end == value.data() + value.size() && number >= 1 && number <= largest &&
                     number == std::floor(number);
  return whole ? static_cast<std::size_t>(number) : 0;
}

bool is_boolean(std::string_view value) { return value == "true" || value == "false"; }

}  // namespace

Result<RequestView> RequestView::parse(std::string_view text) {
  Result<std::vector<JsonMember>> members = json_members(text);
  if (!members) return forward(members);
  RequestView view;
  view.text_ = text;
  view.members_ = std::move(*members);

  if (const JsonMember* model = find_member(view.members_, "model")) {
    if (!model->is_string()) return wrong_type("model", "a string");
    view.model_ = model->as_string();
  }
  if (const JsonMember* stream = find_member(view.members_, "stream"); stream && stream->value != "null") {
    if (!is_boolean(stream->value)) return wrong_type("stream", "true or false");
    view.stream_ = stream->value == "true";
  }
  if (const JsonMember* options = find_member(view.members_, "stream_options"); options && options->value != "null") {
    const Result<std::vector<JsonMember>> inner = json_members(options->value);
    if (!inner) return wrong_type("stream_options", "an object");
    view.stream_options_ = options->value;
    const JsonMember* include = find_member(*inner, "include_usage");
    view.wants_usage_ = include && include->value == "true";
  }
  if (const JsonMember* n = find_member(view.members_, "n"); n && n->value != "null") {
    const std::size_t choices = whole_number(n->value);
    if (choices == 0) return wrong_type("n", "a positive whole number");
    view.choices_ = choices;
  }
  for (std::string_view name : {"messages", "prompt", "input"}) {
    if (const JsonMember* prompt = find_member(view.members_, name)) view.prompt_ = prompt->value;
  }
  return view;
}

std::string RequestView::rewritten(std::string_view model, bool add_usage) const {
  const std::string name = json_string(model);
  const std::string options = add_usage ? with_usage(stream_options_) : std::string();
  std::array<MemberEdit, 2> edits;
  std::size_t count = 0;
  if (model != model_) edits[count++] = {"model", name};
  if (add_usage) edits[count++] = {"stream_options", options};
  return set_members(text_, members_, std::span(edits).first(count));
}

std::string model_of(std::string_view text) {
  const Result<RequestView> view = RequestView::parse(text);
  return view ? view->model() : std::string();
}

}  // namespace sluice::llm::openai
