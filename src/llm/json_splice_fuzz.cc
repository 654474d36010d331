#include <boost/json.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "llm/dialect/openai/request_view.h"
#include "llm/json_splice.h"

namespace {

namespace json = boost::json;
using sluice::llm::JsonMember;

void require(bool holds) {
  if (!holds) std::abort();
}

json::value parsed(std::string_view text, json::error_code& error) {
  json::parse_options options;
  options.max_depth = 100;
  return json::parse(json::string_view(text.data(), text.size()), error, {}, options);
}

std::vector<JsonMember> members_of(std::string_view text) {
  sluice::Result<std::vector<JsonMember>> members = sluice::llm::json_members(text);
  require(members.has_value());
  return std::move(*members);
}

using Names = std::initializer_list<std::string_view>;

bool is_one_of(const JsonMember& member, Names names) {
  return std::any_of(names.begin(), names.end(), [&](std::string_view name) { return member.is(name); });
}

/// The members that are not named so have kept every byte.
void check_rest(const std::vector<JsonMember>& before, const std::vector<JsonMember>& after, Names names) {
  auto other = after.begin();
  const auto skip = [&] {
    while (other != after.end() && is_one_of(*other, names)) ++other;
  };
  for (const JsonMember& member : before) {
    if (is_one_of(member, names)) continue;
    skip();
    require(other != after.end() && other->key == member.key && other->value == member.value);
    ++other;
  }
  skip();
  require(other == after.end());
}

/// What was a request to a parser is one still, and says what it was to say.
void check_meaning(std::string_view text, std::string_view rewritten) {
  json::error_code error;
  if (!parsed(text, error).is_object() || error) return;
  const json::value after = parsed(rewritten, error);
  require(!error && after.at("model").as_string() == "other \"name\"");
  require(after.at("stream_options").at("include_usage").as_bool());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto members = sluice::llm::json_members(text);
  const auto view = sluice::llm::openai::RequestView::parse(text);
  require(members || !view);
  // What is added must not make too many of them.
  if (!members || members->size() > 900) return 0;
  const std::string set = sluice::llm::set_member(text, *members, "model", "[\"x\"]");
  check_rest(*members, members_of(set), {"model"});
  require(sluice::llm::find_member(members_of(set), "model")->value == "[\"x\"]");
  const std::string removed = sluice::llm::remove_member(text, *members, "model");
  check_rest(*members, members_of(removed), {"model"});
  require(sluice::llm::find_member(members_of(removed), "model") == nullptr);
  if (!view) return 0;
  require(view->rewritten(view->model(), false) == text);
  const std::string rewritten = view->rewritten("other \"name\"", true);
  check_rest(*members, members_of(rewritten), {"model", "stream_options"});
  check_meaning(text, rewritten);
  return 0;
}
