#include "provider/mock/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/hash.h"
#include "provider/mock/randomness.h"
#include "provider/mock/tokens.h"

namespace sluice::mock {
namespace {

constexpr std::size_t quoted_tokens = 12;  ///< of the question, in the answer
constexpr std::size_t sentences = 2;       ///< of a natural answer, after the quotation

constexpr std::array<std::string_view, 48> words{
    "the",    "a",      "river",  "gate",    "water",  "stone",  "bridge",  "light",  "quiet",   "model",
    "answer", "signal", "stream", "early",   "north",  "wind",   "carries", "opens",  "holds",   "turns",
    "and",    "over",   "under",  "between", "clear",  "small",  "bright",  "steady", "follows", "reads",
    "writes", "counts", "with",   "from",    "toward", "always", "morning", "garden", "letter",  "number",
    "simple", "gentle", "moves",  "keeps",   "its",    "every",  "second",  "field"};

void append_sentence(std::string& text, Randomness& random) {
  const std::size_t length = 5 + random.below(6);
  for (std::size_t i = 0; i < length; ++i) {
    if (!text.empty()) text += ' ';
    const std::string_view word = words[random.below(words.size())];
    const std::size_t at = text.size();
    text += word;
    if (i == 0) text[at] = static_cast<char>(text[at] - 'a' + 'A');
  }
  text += '.';
}

std::string_view first_tokens(std::string_view text, std::size_t count) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < count && end < text.size(); ++i) end = token_end(text, end);
  return text.substr(0, end);
}

std::string natural_text(const Question& question, std::string_view asked, Randomness& random) {
  if (question.model == "mock-echo") return std::string(asked);
  if (!question.json.empty()) return question.json;
  const std::string_view quotation = first_tokens(asked, quoted_tokens);
  std::string text = fmt::format("{}: \"{}{}\".", question.tool_result ? "The tool said" : "You said", quotation,
                                 quotation.size() < asked.size() ? "..." : "");
  if (question.images > 0) text += fmt::format(" Images seen: {}.", question.images);
  for (std::size_t i = 0; i < sentences; ++i) append_sentence(text, random);
  return text;
}

/// "mock-200-tokens" wishes 200.
std::optional<std::uint64_t> tokens_of_model(std::string_view model) {
  constexpr std::string_view prefix = "mock-";
  constexpr std::string_view suffix = "-tokens";
  if (!model.starts_with(prefix) || !model.ends_with(suffix)) return std::nullopt;
  const std::string_view digits = model.substr(prefix.size(), model.size() - prefix.size() - suffix.size());
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return count;
}

/// The header comes first, then metadata, the model's name, and the server's option.
std::optional<std::uint64_t> wished_tokens(const Question& question, const Directions& directions) {
  std::optional<std::uint64_t> wish = directions.tokens;
  if (directions.tokens_asked) return wish;
  if (const auto named = tokens_of_model(question.model)) wish = named;
  if (question.tokens) wish = question.tokens;
  if (wish) wish = std::min(*wish, max_tokens);
  return wish;
}

void cut(Tokens& tokens, std::size_t count) {
  if (count >= tokens.size()) return;
  tokens.text.resize(count == 0 ? 0 : tokens.ends[count - 1]);
  tokens.ends.resize(count);
}

/// Brings it to exactly `count` tokens.
void stretch(Tokens& tokens, std::size_t count, Randomness& random) {
  while (tokens.size() < count) {
    const std::size_t from = tokens.text.size();
    append_sentence(tokens.text, random);
    split_tokens(tokens.text, from, tokens.ends);
  }
  cut(tokens, count);
}

void stop_at(Tokens& tokens, const std::vector<std::string>& stops) {
  std::size_t first = std::string::npos;
  for (const std::string& stop : stops) {
    if (!stop.empty()) first = std::min(first, tokens.text.find(stop));
  }
  if (first == std::string::npos) return;
  tokens.text.resize(first);
  tokens.ends.clear();
  split_tokens(tokens.text, 0, tokens.ends);
}

Tokens tokenize(std::string text) {
  Tokens tokens{std::move(text), {}};
  split_tokens(tokens.text, 0, tokens.ends);
  return tokens;
}

Choice say(const Question& question, std::string_view asked, std::optional<std::uint64_t> length, std::uint64_t seed) {
  Randomness random(seed);
  Choice choice{tokenize(natural_text(question, asked, random)), {}, "stop"};
  if (length && question.json.empty()) stretch(choice.content, *length, random);
  stop_at(choice.content, question.stop);
  if (question.max_tokens && choice.content.size() > *question.max_tokens) {
    cut(choice.content, *question.max_tokens);
    choice.finish = "length";
  }
  return choice;
}

Choice call_tools(const Question& question, std::uint64_t seed) {
  Randomness random(seed);
  Choice choice{{}, {}, "tool_calls"};
  for (const ToolCall& call : question.calls) {
    choice.calls.push_back({fmt::format("call_{:016x}", random.next()), call.name, tokenize(call.arguments)});
  }
  return choice;
}

std::uint64_t tokens_of(const Choice& choice) {
  std::uint64_t count = choice.content.size();
  for (const AnsweredCall& call : choice.calls) count += count_tokens(call.name) + call.arguments.size();
  return count;
}

}  // namespace

std::size_t Answer::longest() const {
  std::uint64_t most = 0;
  for (const Choice& choice : choices) most = std::max(most, tokens_of(choice));
  return most;
}

Answer make_answer(const Question& question, std::uint64_t seed, const Directions& directions) {
  Answer answer;
  const std::uint64_t identity = Randomness(question.identity ^ seed).next();
  answer.id = fmt::format("{:016x}", identity);
  answer.model = question.model;
  answer.include_usage = question.include_usage;
  const auto length = wished_tokens(question, directions);
  for (const std::string& asked : question.texts) {
    for (std::size_t i = 0; i < question.choices; ++i) {
      const std::uint64_t own = identity + answer.choices.size();
      answer.choices.push_back(question.calls.empty() ? say(question, asked, length, own) : call_tools(question, own));
      answer.usage.completion += tokens_of(answer.choices.back());
    }
  }
  answer.usage.known = true;
  answer.usage.prompt = std::max(question.prompt_tokens, directions.cached_tokens);
  answer.usage.cached = directions.cached_tokens;
  answer.usage.reasoning = directions.reasoning_tokens;
  answer.usage.completion += directions.reasoning_tokens;
  return answer;
}

}  // namespace sluice::mock
