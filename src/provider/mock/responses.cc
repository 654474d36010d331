#include <fmt/format.h>

#include <iterator>

#include "provider/mock/json_text.h"
#include "provider/mock/script.h"

/// The Responses API: one `response` object with output items, and its typed, numbered events
/// (https://platform.openai.com/docs/api-reference/responses-streaming).
namespace sluice::mock {
namespace {

using Append = std::back_insert_iterator<std::string>;

/// An output item is the message, or one call.
std::size_t items_of(const Choice& choice) { return choice.calls.empty() ? 1 : choice.calls.size(); }

bool is_cut(const Answer& answer) { return answer.choices.front().finish == "length"; }

std::string item_id(const Answer& answer, std::size_t index) {
  const bool message = answer.choices.front().calls.empty();
  return fmt::format("{}_mock{}{:02x}", message ? "msg" : "fc", answer.id, index);
}

void append_part(std::string& out, std::string_view text) {
  out += R"({"type":"output_text","annotations":[],"logprobs":[],"text":)";
  append_quoted(out, text);
  out += '}';
}

/// `whole` false: as it is when it has just been added.
void append_item(std::string& out, const Answer& answer, std::size_t index, bool whole) {
  const Choice& choice = answer.choices.front();
  const std::string_view status = !whole ? "in_progress" : is_cut(answer) ? "incomplete" : "completed";
  if (choice.calls.empty()) {
    fmt::format_to(Append(out), R"({{"id":"{}","type":"message","status":"{}","role":"assistant","content":[)",
                   item_id(answer, index), status);
    if (whole) append_part(out, choice.content.text);
    out += "]}";
    return;
  }
  const AnsweredCall& call = choice.calls[index];
  fmt::format_to(Append(out), R"({{"id":"{}","type":"function_call","status":"{}","call_id":"{}","name":)",
                 item_id(answer, index), status, call.id);
  append_quoted(out, call.name);
  out += R"(,"arguments":)";
  append_quoted(out, whole ? std::string_view(call.arguments.text) : std::string_view());
  out += '}';
}

void append_usage_of_response(std::string& out, const llm::Usage& usage) {
  fmt::format_to(
      Append(out),
      R"({{"input_tokens":{},"input_tokens_details":{{"cached_tokens":{}}},"output_tokens":{},"output_tokens_details":{{"reasoning_tokens":{}}},"total_tokens":{}}})",
      usage.prompt, usage.cached, usage.completion, usage.reasoning, usage.prompt + usage.completion);
}

void append_response(std::string& out, const Answer& answer, bool whole) {
  const bool cut = whole && is_cut(answer);
  fmt::format_to(
      Append(out),
      R"({{"id":"resp_mock{}","object":"response","created_at":{},"status":"{}","background":false,"error":null,"incomplete_details":{},"instructions":null,"max_output_tokens":null,"model":)",
      answer.id, created,
      !whole ? "in_progress"
      : cut  ? "incomplete"
             : "completed",
      cut ? R"({"reason":"max_output_tokens"})" : "null");
  append_quoted(out, answer.model);
  out += R"(,"output":[)";
  for (std::size_t i = 0; whole && i < items_of(answer.choices.front()); ++i) {
    if (i > 0) out += ',';
    append_item(out, answer, i, true);
  }
  out +=
      R"(],"parallel_tool_calls":true,"previous_response_id":null,"reasoning":{"effort":null,"summary":null},"store":true,"temperature":1.0,"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],"top_p":1.0,"truncation":"disabled","usage":)";
  if (whole) {
    append_usage_of_response(out, answer.usage);
  } else {
    out += "null";
  }
  out += R"(,"user":null,"metadata":{}})";
}

class ResponsesScript final : public Script {
 public:
  explicit ResponsesScript(Answer answer) : answer_(std::move(answer)) {}

  Event next(std::string& out) override {
    switch (phase_) {
      case Phase::created:
        return about_response(out, "response.created", false, Phase::in_progress);
      case Phase::in_progress:
        return about_response(out, "response.in_progress", false, Phase::item_added);
      case Phase::item_added:
        return about_item(out, "response.output_item.added", false);
      case Phase::part_added:
        return about_part(out, "response.content_part.added", "", Phase::deltas);
      case Phase::deltas:
        return delta(out);
      case Phase::text_done:
        return text_done(out);
      case Phase::part_done:
        return about_part(out, "response.content_part.done", text().text, Phase::item_done);
      case Phase::item_done:
        return about_item(out, "response.output_item.done", true);
      case Phase::completed:
        about_response(out, is_cut(answer_) ? "response.incomplete" : "response.completed", true, Phase::over);
        return Event::end;
      case Phase::over:
        break;
    }
    return Event::none;
  }

  void fail(std::string& out) override {
    open(out, "error");
    out +=
        R"(,"code":"server_error","message":"The server had an error while processing your request (mock fault).","param":null)";
    close(out);
  }

 private:
  enum class Phase : std::uint8_t {
    created,
    in_progress,
    item_added,
    part_added,
    deltas,
    text_done,
    part_done,
    item_done,
    completed,
    over
  };

  bool is_message() const { return answer_.choices.front().calls.empty(); }
  const Tokens& text() const {
    const Choice& choice = answer_.choices.front();
    return is_message() ? choice.content : choice.calls[item_].arguments;
  }

  void open(std::string& out, std::string_view type) {
    fmt::format_to(Append(out), "event: {0}\ndata: {{\"type\":\"{0}\",\"sequence_number\":{1}", type, sequence_++);
  }
  void open_in_item(std::string& out, std::string_view type) {
    open(out, type);
    fmt::format_to(Append(out), R"(,"item_id":"{}","output_index":{})", item_id(answer_, item_), item_);
    if (is_message()) out += R"(,"content_index":0)";
  }
  static void close(std::string& out) { out += "}\n\n"; }

  Event about_response(std::string& out, std::string_view type, bool whole, Phase after) {
    open(out, type);
    out += R"(,"response":)";
    append_response(out, answer_, whole);
    close(out);
    phase_ = after;
    return Event::frame;
  }

  Event about_item(std::string& out, std::string_view type, bool whole) {
    open(out, type);
    fmt::format_to(Append(out), R"(,"output_index":{},"item":)", item_);
    append_item(out, answer_, item_, whole);
    close(out);
    if (!whole) {
      phase_ = is_message() ? Phase::part_added : Phase::deltas;
    } else {
      phase_ = ++item_ < items_of(answer_.choices.front()) ? Phase::item_added : Phase::completed;
    }
    return Event::frame;
  }

  Event about_part(std::string& out, std::string_view type, std::string_view text, Phase after) {
    open_in_item(out, type);
    out += R"(,"part":)";
    append_part(out, text);
    close(out);
    phase_ = after;
    return Event::frame;
  }

  Event delta(std::string& out) {
    if (token_ == text().size()) {
      token_ = 0;
      return text_done(out);
    }
    open_in_item(out, is_message() ? "response.output_text.delta" : "response.function_call_arguments.delta");
    out += R"(,"delta":)";
    append_quoted(out, text()[token_++]);
    if (is_message()) out += R"(,"logprobs":[])";
    close(out);
    return Event::token;
  }

  Event text_done(std::string& out) {
    open_in_item(out, is_message() ? "response.output_text.done" : "response.function_call_arguments.done");
    out += is_message() ? R"(,"logprobs":[],"text":)" : R"(,"arguments":)";
    append_quoted(out, text().text);
    close(out);
    phase_ = is_message() ? Phase::part_done : Phase::item_done;
    return Event::frame;
  }

  Answer answer_;
  Phase phase_ = Phase::created;
  std::size_t item_ = 0;
  std::size_t token_ = 0;
  std::uint64_t sequence_ = 0;
};

}  // namespace

std::string responses_text(const Answer& answer) {
  std::string out;
  append_response(out, answer, true);
  return out;
}

std::unique_ptr<Script> responses_script(Answer answer) { return std::make_unique<ResponsesScript>(std::move(answer)); }

}  // namespace sluice::mock
