#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "llm/dialect/openai/request_view.h"
#include "llm/json_splice.h"

/// Whatever the bytes are: an edit of an accepted object is accepted again, has the new value, and differs nowhere
/// else.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::llm;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto members = json_members(text);
  if (!members) return 0;
  const std::string edited = set_member(text, *members, "model", "\"m\"");
  const auto again = json_members(edited);
  if (!again) std::abort();
  const JsonMember* model = find_member(*again, "model");
  if (!model || model->value != "\"m\"") std::abort();
  if (again->size() != members->size() + (find_member(*members, "model") ? 0 : 1)) std::abort();
  for (std::size_t i = 0; i < members->size(); ++i) {
    if ((*members)[i].key != (*again)[i].key) std::abort();
    if (!(*members)[i].is("model") && (*members)[i].value != (*again)[i].value) std::abort();
  }
  const auto view = openai::RequestView::parse(text);
  if (view && !json_members(view->rewritten("x", true))) std::abort();
  return 0;
}
