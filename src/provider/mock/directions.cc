#include "provider/mock/directions.h"

#include <fmt/format.h>

#include <charconv>

#include "base/units.h"

namespace sluice::mock {
namespace {

/// Reads fields until the first that is wrong.
class FieldReader {
 public:
  explicit FieldReader(const http::Fields& fields) : fields_(fields) {}

  void duration(std::string_view name, Duration& into) {
    const auto text = fields_.find(name);
    if (!text) return;
    const auto value = units::parse_duration(*text);
    if (!value) return wrong(name, "a duration such as 200ms");
    into = *value;
  }
  template <class T>
  void count(std::string_view name, T& into, std::uint64_t most) {
    const auto text = fields_.find(name);
    if (!text) return;
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc() || end != text->data() + text->size() || value > most) {
      return wrong(name, fmt::format("a number from 0 to {}", most));
    }
    into = value;
  }
  void fault(std::string_view name, Fault& into) {
    const auto text = fields_.find(name);
    if (!text) return;
    const auto value = parse_fault(*text);
    if (!value) complaint_ = value.error();
    into = value.value_or(Fault());
  }
  const std::optional<Complaint>& complaint() const { return complaint_; }

 private:
  void wrong(std::string_view name, std::string_view expected) {
    complaint_ = Complaint{400, fmt::format("The header {} must be {}.", name, expected)};
    complaint_->param = name;
  }

  const http::Fields& fields_;
  std::optional<Complaint> complaint_;
};

/// Most requests carry none: one look at each name instead of eight.
bool directs(const http::Fields& fields) {
  for (const http::Field& field : fields) {
    if (field.name.size() > 7 && http::same_name(field.name.substr(0, 7), "x-mock-")) return true;
  }
  return false;
}

}  // namespace

Checked<Directions> directions_for(const MockOptions& options, const std::vector<Fault>& faults,
                                   const http::Fields& fields, std::uint64_t number) {
  Directions directions;
  directions.first_token = options.first_token;
  directions.between_tokens = options.between_tokens;
  if (options.tokens > 0) directions.tokens = options.tokens;
  directions.fault = choose_fault(faults, options.fault_rate, options.seed, number);
  if (!directs(fields)) return directions;

  FieldReader reader(fields);
  std::uint64_t echo = 0;
  reader.duration("x-mock-first-token", directions.first_token);
  reader.duration("x-mock-between-tokens", directions.between_tokens);
  reader.count("x-mock-tokens", directions.tokens, max_tokens);
  directions.tokens_asked = fields.has("x-mock-tokens");
  reader.count("x-mock-chunk-bytes", directions.chunk_bytes, 1U << 30);
  reader.count("x-mock-cached-tokens", directions.cached_tokens, max_tokens);
  reader.count("x-mock-reasoning-tokens", directions.reasoning_tokens, max_tokens);
  reader.count("x-mock-echo", echo, 1);
  reader.fault("x-mock-fault", directions.fault);
  if (reader.complaint()) return tl::unexpected(*reader.complaint());
  directions.echo = echo == 1;
  return directions;
}

}  // namespace sluice::mock
