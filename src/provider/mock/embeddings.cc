#include "provider/mock/embeddings.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <iterator>

#include "base/hash.h"
#include "base/text.h"
#include "provider/mock/json_text.h"
#include "provider/mock/randomness.h"
#include "provider/mock/tokens.h"

namespace sluice::mock {
namespace {

constexpr std::size_t usual_dimensions = 1536;
constexpr std::size_t most_dimensions = 8192;
constexpr std::size_t most_inputs = 2048;
constexpr std::size_t words_heard = 4096;  ///< of one text

struct Inputs {
  std::vector<std::string> texts;
  std::uint64_t tokens = 0;
};

/// Each word pushes every dimension one step up or down.
void push(std::vector<float>& sums, std::uint64_t word) {
  Randomness random(word);
  for (std::size_t at = 0; at < sums.size();) {
    std::uint64_t bits = random.next();
    for (std::size_t i = 0; i < 64 && at < sums.size(); ++i, ++at, bits >>= 1) sums[at] += (bits & 1) ? 1.0F : -1.0F;
  }
}

bool is_word_start(std::string_view token) {
  return static_cast<unsigned char>(token.front()) > 0x7F || token.size() > 1;
}

void normalize(std::vector<float>& vector) {
  double square = 0;
  for (const float value : vector) square += static_cast<double>(value) * value;
  const auto scale = static_cast<float>(1.0 / std::sqrt(square));
  for (float& value : vector) value *= scale;
}

/// A list of token numbers is a text of these numbers.
std::string text_of_numbers(simdjson::dom::array numbers) {
  std::string text;
  for (const Json number : numbers) text += fmt::format("{} ", simdjson::minify(number));
  return text;
}

Checked<Inputs> read_inputs(Json body) {
  Json input;
  if (body["input"].get(input)) return missing("input");
  Inputs inputs;
  std::string_view text;
  simdjson::dom::array list;
  if (!input.get(text)) {
    inputs.texts.emplace_back(text);
  } else if (!input.get(list) && list.size() > 0 && list.at(0).is_number()) {
    inputs.texts.push_back(text_of_numbers(list));
  } else if (!input.get(list)) {
    for (const Json item : list) {
      simdjson::dom::array numbers;
      if (!item.get(text)) inputs.texts.emplace_back(text);
      if (!item.get(numbers)) inputs.texts.push_back(text_of_numbers(numbers));
    }
  }
  if (inputs.texts.empty() || inputs.texts.size() > most_inputs) {
    return complain(fmt::format("Invalid 'input': a text, or a list of 1 to {} texts.", most_inputs), "input");
  }
  for (const std::string& one : inputs.texts) inputs.tokens += count_tokens(one);
  return inputs;
}

void append_numbers(std::string& out, const std::vector<float>& vector) {
  out += '[';
  for (std::size_t i = 0; i < vector.size(); ++i) {
    if (i > 0) out += ',';
    fmt::format_to(std::back_inserter(out), "{}", vector[i]);
  }
  out += ']';
}

/// Little-endian 32-bit floats.
void append_base64(std::string& out, const std::vector<float>& vector) {
  static_assert(std::endian::native == std::endian::little);
  const std::size_t bytes = vector.size() * sizeof(float);
  std::string encoded((bytes + 2) / 3 * 4 + 1, '\0');
  std::vector<unsigned char> raw(bytes);
  std::memcpy(raw.data(), vector.data(), bytes);
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()), raw.data(), static_cast<int>(bytes));
  encoded.pop_back();
  append_quoted(out, encoded);
}

}  // namespace

std::vector<float> embed(std::string_view text, std::size_t dimensions, std::uint64_t seed) {
  std::vector<float> sums(dimensions);
  const std::string lower = text::to_lower(text);
  std::size_t words = 0;
  for (std::size_t at = 0; at < lower.size() && words < words_heard;) {
    const std::size_t end = token_end(lower, at);
    const std::string_view token = text::trim(std::string_view(lower).substr(at, end - at));
    at = end;
    if (token.empty() || !is_word_start(token)) continue;
    push(sums, hash::of(token, seed));
    ++words;
  }
  // Without words, and against sums that cancel each other: the text as a whole decides, faintly.
  std::vector<float> whole(dimensions);
  push(whole, hash::of(text, seed));
  for (std::size_t i = 0; i < dimensions; ++i) sums[i] += whole[i] * (words == 0 ? 1.0F : 0.05F);
  normalize(sums);
  return sums;
}

Checked<std::string> embeddings_text(Json body, std::uint64_t seed) {
  std::string_view model;
  if (body["model"].get(model) || model.empty()) return complain("You must provide a model parameter.");
  const Checked<Inputs> inputs = read_inputs(body);
  if (!inputs) return tl::unexpected(inputs.error());
  std::uint64_t dimensions = usual_dimensions;
  if (!body["dimensions"].get(dimensions) && (dimensions == 0 || dimensions > most_dimensions)) {
    return complain(fmt::format("Invalid 'dimensions': it must be 1 to {}.", most_dimensions), "dimensions");
  }
  std::string_view encoding = "float";
  if (!body["encoding_format"].get(encoding) && encoding != "float" && encoding != "base64") {
    return complain("Invalid 'encoding_format': float or base64.", "encoding_format");
  }

  std::string out = R"({"object":"list","data":[)";
  for (std::size_t i = 0; i < inputs->texts.size(); ++i) {
    fmt::format_to(std::back_inserter(out), R"({}{{"object":"embedding","index":{},"embedding":)", i == 0 ? "" : ",",
                   i);
    const std::vector<float> vector = embed(inputs->texts[i], dimensions, seed);
    encoding == "base64" ? append_base64(out, vector) : append_numbers(out, vector);
    out += '}';
  }
  out += R"(],"model":)";
  append_quoted(out, model);
  fmt::format_to(std::back_inserter(out), R"(,"usage":{{"prompt_tokens":{0},"total_tokens":{0}}}}})", inputs->tokens);
  return out;
}

}  // namespace sluice::mock
