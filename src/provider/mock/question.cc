#include "provider/mock/question.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/hash.h"
#include "provider/mock/schema_sample.h"
#include "provider/mock/tokens.h"

namespace sluice::mock {
namespace {

/// As OpenAI counts: what frames each message, and an image of low detail.
constexpr std::uint64_t tokens_of_message = 4;
constexpr std::uint64_t tokens_of_image = 85;
constexpr std::size_t most_choices = 128;

std::string_view text_at(Json object, std::string_view name) {
  std::string_view text;
  if (object[name].get(text)) return {};
  return text;
}

bool true_at(Json object, std::string_view name) {
  bool value = false;
  return !object[name].get(value) && value;
}

std::optional<std::uint64_t> count_at(Json object, std::string_view name) {
  std::uint64_t value = 0;
  if (object[name].get(value)) return std::nullopt;
  return value;
}

/// Adds what was said to the count and the identity.
void hear(Question& question, std::string_view text) {
  question.prompt_tokens += count_tokens(text);
  question.identity = hash::of(text, question.identity);
}

/// A message's content: a text, or parts of text and images.
std::string hear_content(Question& question, Json content) {
  std::string_view text;
  if (!content.get(text)) {
    hear(question, text);
    return std::string(text);
  }
  std::string all;
  simdjson::dom::array parts;
  if (content.get(parts)) return all;
  for (const Json part : parts) {
    const std::string_view type = text_at(part, "type");
    if (type == "image_url" || type == "input_image") {
      ++question.images;
      question.prompt_tokens += tokens_of_image;
      continue;
    }
    const std::string_view piece = text_at(part, "text");
    hear(question, piece);
    if (!all.empty() && !piece.empty()) all += '\n';
    all += piece;
  }
  return all;
}

/// `role` decides what is to be answered: the last message of a user, or a tool's result that comes after it.
void hear_message(Question& question, std::string_view role, Json content) {
  question.prompt_tokens += tokens_of_message;
  std::string text = hear_content(question, content);
  if (role != "user" && role != "tool") return;
  question.texts.front() = std::move(text);
  question.tool_result = role == "tool";
}

std::optional<std::uint64_t> wished_tokens(Json body) {
  Json value;
  if (body["metadata"]["mock_tokens"].get(value)) return std::nullopt;
  std::uint64_t count = 0;
  if (!value.get(count)) return count;
  std::string_view text;
  if (value.get(text)) return std::nullopt;
  if (std::from_chars(text.data(), text.data() + text.size(), count).ec != std::errc()) return std::nullopt;
  return count;
}

void read_stop(Question& question, Json body) {
  Json stop;
  if (body["stop"].get(stop)) return;
  std::string_view text;
  if (!stop.get(text)) return question.stop.emplace_back(text), void();
  simdjson::dom::array list;
  if (stop.get(list)) return;
  for (const Json item : list) {
    if (!item.get(text)) question.stop.emplace_back(text);
  }
}

/// What all endpoints have in common.
Checked<Question> begin(Json body) {
  Question question;
  question.model = text_at(body, "model");
  if (question.model.empty()) return complain("You must provide a model parameter.");
  question.identity = hash::of(question.model, count_at(body, "seed").value_or(0));
  question.stream = true_at(body, "stream");
  question.tokens = wished_tokens(body);
  question.choices = count_at(body, "n").value_or(1);
  if (question.choices == 0 || question.choices > most_choices) {
    return complain(fmt::format("Invalid 'n': it must be 1 to {}.", most_choices), "n", "integer_out_of_range");
  }
  read_stop(question, body);
  return question;
}

bool include_usage(Json body) {
  bool value = false;
  return !body["stream_options"]["include_usage"].get(value) && value;
}

/// Chat nests a tool in `function`, Responses does not.
Json function_of(Json tool) {
  Json inner;
  return tool["function"].get(inner) ? tool : inner;
}

bool is_name_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

/// Whether the text asks for it: "call tool NAME".
bool asks_for(std::string_view text, std::string_view name) {
  constexpr std::string_view phrase = "call tool ";
  for (std::size_t at = text.find(phrase); at != std::string_view::npos; at = text.find(phrase, at + 1)) {
    const std::string_view rest = text.substr(at + phrase.size());
    if (rest.starts_with(name) && (rest.size() == name.size() || !is_name_character(rest[name.size()]))) return true;
  }
  return false;
}

std::string_view chosen_tool(Json body) {
  Json choice;
  if (body["tool_choice"].get(choice)) return {};
  std::string_view text;
  if (!choice.get(text)) return text == "required" || text == "none" ? text : std::string_view();
  return text_at(function_of(choice), "name");
}

void read_tools(Question& question, Json body) {
  simdjson::dom::array tools;
  if (body["tools"].get(tools)) return;
  const std::string_view chosen = chosen_tool(body);
  for (const Json tool : tools) {
    const Json function = function_of(tool);
    const std::string_view name = text_at(function, "name");
    Json parameters;
    const bool has_parameters = !function["parameters"].get(parameters);
    question.prompt_tokens += tokens_of_message + (has_parameters ? count_tokens(simdjson::minify(parameters)) : 0);
    if (name.empty() || chosen == "none" || question.tool_result) continue;
    const bool forced = chosen == "required" ? question.calls.empty() : chosen == name;
    if (!forced && !asks_for(question.texts.front(), name)) continue;
    std::string arguments = "{}";
    if (has_parameters) append_sample(arguments = "", parameters, name);
    question.calls.push_back({std::string(name), std::move(arguments)});
  }
}

/// `format` is `response_format` of chat or `text.format` of Responses; its schema stands in different places.
void read_format(Question& question, simdjson::simdjson_result<Json> found) {
  Json format;
  if (found.get(format)) return;
  const std::string_view type = text_at(format, "type");
  if (type == "json_object") question.json = R"({"answer":"mock","ok":true})";
  if (type != "json_schema") return;
  Json schema;
  if (format["json_schema"]["schema"].get(schema) && format["schema"].get(schema)) return;
  append_sample(question.json, schema, "value");
}

/// One item of a Responses input: a message, or what a tool gave back.
void hear_item(Question& question, Json item) {
  Json content;
  if (!item["content"].get(content)) return hear_message(question, text_at(item, "role"), content);
  if (!item["output"].get(content)) return hear_message(question, "tool", content);
}

Checked<void> hear_prompts(Question& question, Json prompt) {
  std::string_view text;
  simdjson::dom::array list;
  if (!prompt.get(text)) {
    question.texts.emplace_back(text);
  } else if (!prompt.get(list)) {
    for (const Json item : list) {
      if (!item.get(text)) question.texts.emplace_back(text);
    }
    // A prompt of token numbers has no text to answer to.
    if (question.texts.empty()) question.prompt_tokens += list.size();
  }
  for (const std::string& heard : question.texts) hear(question, heard);
  if (question.texts.empty()) question.texts.emplace_back();
  if (question.texts.size() * question.choices > most_choices) {
    return complain(fmt::format("Too many prompts and choices: at most {}.", most_choices), "prompt");
  }
  return {};
}

}  // namespace

Checked<Question> read_chat(Json body) {
  Checked<Question> question = begin(body);
  if (!question) return question;
  simdjson::dom::array messages;
  if (body["messages"].get(messages)) return missing("messages");
  if (messages.size() == 0) return complain("Invalid 'messages': empty array.", "messages", "empty_array");
  question->texts.emplace_back();
  for (const Json message : messages) {
    Json content;
    const bool has_content = !message["content"].get(content);
    if (has_content) hear_message(*question, text_at(message, "role"), content);
  }
  question->include_usage = include_usage(body);
  question->max_tokens = count_at(body, "max_completion_tokens");
  if (!question->max_tokens) question->max_tokens = count_at(body, "max_tokens");
  read_tools(*question, body);
  read_format(*question, body["response_format"]);
  return question;
}

Checked<Question> read_completion(Json body) {
  Checked<Question> question = begin(body);
  if (!question) return question;
  Json prompt;
  if (body["prompt"].get(prompt)) return missing("prompt");
  if (const auto heard = hear_prompts(*question, prompt); !heard) return tl::unexpected(heard.error());
  question->include_usage = include_usage(body);
  question->max_tokens = count_at(body, "max_tokens");
  return question;
}

Checked<Question> read_responses(Json body) {
  Checked<Question> question = begin(body);
  if (!question) return question;
  Json input;
  if (body["input"].get(input)) return missing("input");
  question->texts.emplace_back();
  if (const std::string_view instructions = text_at(body, "instructions"); !instructions.empty()) {
    question->prompt_tokens += tokens_of_message;
    hear(*question, instructions);
  }
  simdjson::dom::array items;
  if (input.get(items)) {
    hear_message(*question, "user", input);
  } else {
    for (const Json item : items) hear_item(*question, item);
  }
  question->max_tokens = count_at(body, "max_output_tokens");
  question->choices = 1;
  read_tools(*question, body);
  read_format(*question, body["text"]["format"]);
  return question;
}

}  // namespace sluice::mock
