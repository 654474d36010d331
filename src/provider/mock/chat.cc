#include <fmt/format.h>

#include <iterator>

#include "provider/mock/json_text.h"
#include "provider/mock/script.h"

/// `chat.completion` and its chunks (https://platform.openai.com/docs/api-reference/chat-streaming): a role, then the
/// pieces, then the reason of the end for each choice; then the usage if it was asked for; then [DONE].
namespace sluice::mock {
namespace {

void append_call(std::string& out, const AnsweredCall& call) {
  fmt::format_to(std::back_inserter(out), R"({{"id":"{}","type":"function","function":{{"name":)", call.id);
  append_quoted(out, call.name);
  out += R"(,"arguments":)";
  append_quoted(out, call.arguments.text);
  out += "}}";
}

void append_message(std::string& out, const Choice& choice) {
  out += R"({"role":"assistant","content":)";
  if (choice.calls.empty()) {
    append_quoted(out, choice.content.text);
  } else {
    out += R"(null,"tool_calls":[)";
    for (const AnsweredCall& call : choice.calls) {
      if (&call != choice.calls.data()) out += ',';
      append_call(out, call);
    }
    out += ']';
  }
  out += R"(,"refusal":null,"annotations":[]})";
}

/// Pieces of a choice: its tokens, or for each call its opening and the tokens of its arguments.
std::size_t pieces_of(const Choice& choice) {
  std::size_t count = choice.content.size();
  for (const AnsweredCall& call : choice.calls) count += 1 + call.arguments.size();
  return count;
}

void append_call_piece(std::string& out, const Choice& choice, std::size_t index) {
  std::size_t number = 0;
  while (index > choice.calls[number].arguments.size()) index -= 1 + choice.calls[number++].arguments.size();
  const AnsweredCall& call = choice.calls[number];
  fmt::format_to(std::back_inserter(out), R"({{"tool_calls":[{{"index":{},)", number);
  if (index == 0) {
    fmt::format_to(std::back_inserter(out), R"("id":"{}","type":"function","function":{{"name":)", call.id);
    append_quoted(out, call.name);
    out += R"(,"arguments":""}}]})";
    return;
  }
  out += R"("function":{"arguments":)";
  append_quoted(out, call.arguments[index - 1]);
  out += "}}]}";
}

class ChatScript final : public Script {
 public:
  explicit ChatScript(Answer answer) : answer_(std::move(answer)) {
    for (const Choice& choice : answer_.choices) longest_ = std::max(longest_, pieces_of(choice));
    prefix_ = fmt::format(
        R"(data: {{"id":"chatcmpl-mock{}","object":"chat.completion.chunk","created":{},"model":{},"service_tier":"default","system_fingerprint":"fp_mock","choices":[)",
        answer_.id, created, json_string(answer_.model));
  }

  Event next(std::string& out) override {
    switch (phase_) {
      case Phase::role:
        return role(out);
      case Phase::content:
        return content(out);
      case Phase::finish:
        return finish(out);
      case Phase::usage:
        return usage(out);
      case Phase::done:
        phase_ = Phase::over;
        return out += "data: [DONE]\n\n", Event::end;
      case Phase::over:
        break;
    }
    return Event::none;
  }

  void fail(std::string& out) override {
    out += "data: ";
    out += error_object(complaint_of_status(500));
    out += "\n\n";
  }

 private:
  enum class Phase : std::uint8_t { role, content, finish, usage, done, over };

  /// Goes to the next choice, and after the last one to `after`.
  void advance(Phase after) {
    if (++choice_ < answer_.choices.size()) return;
    choice_ = 0;
    phase_ = after;
  }

  Event role(std::string& out) {
    const bool calls = !answer_.choices[choice_].calls.empty();
    chunk(out, [&] {
      out += calls ? R"({"role":"assistant","content":null,"refusal":null})"
                   : R"({"role":"assistant","content":"","refusal":null})";
    });
    advance(Phase::content);
    return Event::frame;
  }

  /// Choices take turns, token by token, until the longest has ended.
  Event content(std::string& out) {
    while (piece_ < longest_) {
      const Choice& choice = answer_.choices[choice_];
      const bool has_piece = piece_ < pieces_of(choice);
      if (has_piece) chunk(out, [&] { append_piece(out, choice); });
      if (++choice_ == answer_.choices.size()) choice_ = 0, ++piece_;
      if (has_piece) return Event::token;
    }
    choice_ = 0;
    phase_ = Phase::finish;
    return finish(out);
  }
  void append_piece(std::string& out, const Choice& choice) const {
    if (!choice.calls.empty()) return append_call_piece(out, choice, piece_);
    out += R"({"content":)";
    append_quoted(out, choice.content[piece_]);
    out += '}';
  }

  Event finish(std::string& out) {
    const std::string_view reason = answer_.choices[choice_].finish;
    chunk(
        out, [&] { out += "{}"; }, reason);
    advance(answer_.include_usage ? Phase::usage : Phase::done);
    return Event::frame;
  }

  Event usage(std::string& out) {
    out += prefix_;
    out += R"(],"usage":)";
    append_usage(out, answer_.usage);
    out += "}\n\n";
    phase_ = Phase::done;
    return Event::frame;
  }

  template <class AppendDelta>
  void chunk(std::string& out, AppendDelta append_delta, std::string_view finish = {}) const {
    out += prefix_;
    fmt::format_to(std::back_inserter(out), R"({{"index":{},"delta":)", choice_);
    append_delta();
    out += R"(,"logprobs":null,"finish_reason":)";
    if (finish.empty()) {
      out += "null";
    } else {
      append_quoted(out, finish);
    }
    out += answer_.include_usage ? "}],\"usage\":null}\n\n" : "}]}\n\n";
  }

  Answer answer_;
  std::string prefix_;
  std::size_t longest_ = 0;
  Phase phase_ = Phase::role;
  std::size_t choice_ = 0;
  std::size_t piece_ = 0;
};

}  // namespace

void append_usage(std::string& out, const llm::Usage& usage) {
  fmt::format_to(
      std::back_inserter(out),
      R"({{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{},"prompt_tokens_details":{{"cached_tokens":{},"audio_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":{},"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}})",
      usage.prompt, usage.completion, usage.prompt + usage.completion, usage.cached, usage.reasoning);
}

std::string chat_text(const Answer& answer) {
  std::string out;
  out.reserve(1024);
  fmt::format_to(std::back_inserter(out),
                 R"({{"id":"chatcmpl-mock{}","object":"chat.completion","created":{},"model":)", answer.id, created);
  append_quoted(out, answer.model);
  out += R"(,"choices":[)";
  for (std::size_t i = 0; i < answer.choices.size(); ++i) {
    fmt::format_to(std::back_inserter(out), R"({}{{"index":{},"message":)", i == 0 ? "" : ",", i);
    append_message(out, answer.choices[i]);
    fmt::format_to(std::back_inserter(out), R"(,"logprobs":null,"finish_reason":"{}"}})", answer.choices[i].finish);
  }
  out += R"(],"usage":)";
  append_usage(out, answer.usage);
  out += R"(,"service_tier":"default","system_fingerprint":"fp_mock"})";
  return out;
}

std::unique_ptr<Script> chat_script(Answer answer) { return std::make_unique<ChatScript>(std::move(answer)); }

}  // namespace sluice::mock
