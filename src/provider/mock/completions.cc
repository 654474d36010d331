#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "provider/mock/json_text.h"
#include "provider/mock/script.h"

/// `text_completion`, whole and streamed: the older endpoint, whose chunks look like the whole.
namespace sluice::mock {
namespace {

std::string opening(const Answer& answer) {
  return fmt::format(R"({{"id":"cmpl-mock{}","object":"text_completion","created":{},"model":{},"choices":[)",
                     answer.id, created, json_string(answer.model));
}

void append_choice(std::string& out, std::size_t index, std::string_view text, std::string_view finish) {
  out += R"({"text":)";
  append_quoted(out, text);
  fmt::format_to(std::back_inserter(out), R"(,"index":{},"logprobs":null,"finish_reason":)", index);
  if (finish.empty()) {
    out += "null}";
  } else {
    append_quoted(out, finish);
    out += '}';
  }
}

class CompletionScript final : public Script {
 public:
  explicit CompletionScript(Answer answer)
      : answer_(std::move(answer)), prefix_("data: " + opening(answer_)), longest_(answer_.longest()) {}

  Event next(std::string& out) override {
    while (token_ < longest_) {
      const Choice& choice = answer_.choices[choice_];
      const bool has_token = token_ < choice.content.size();
      if (has_token) chunk(out, choice.content[token_], {});
      if (++choice_ == answer_.choices.size()) choice_ = 0, ++token_;
      if (has_token) return Event::token;
    }
    return ending(out);
  }

  void fail(std::string& out) override {
    out += "data: ";
    out += error_object(complaint_of_status(500));
    out += "\n\n";
  }

 private:
  Event ending(std::string& out) {
    if (choice_ < answer_.choices.size()) {
      chunk(out, "", answer_.choices[choice_].finish);
      ++choice_;
      return Event::frame;
    }
    if (answer_.include_usage && !usage_sent_) {
      usage_sent_ = true;
      out += prefix_;
      out += R"(],"usage":)";
      append_usage(out, answer_.usage);
      out += "}\n\n";
      return Event::frame;
    }
    if (done_) return Event::none;
    done_ = true;
    out += "data: [DONE]\n\n";
    return Event::end;
  }

  void chunk(std::string& out, std::string_view text, std::string_view finish) const {
    out += prefix_;
    append_choice(out, choice_, text, finish);
    out += answer_.include_usage ? "],\"usage\":null}\n\n" : "]}\n\n";
  }

  Answer answer_;
  std::string prefix_;
  std::size_t longest_;
  std::size_t token_ = 0;
  std::size_t choice_ = 0;
  bool usage_sent_ = false;
  bool done_ = false;
};

}  // namespace

std::string completion_text(const Answer& answer) {
  std::string out = opening(answer);
  for (std::size_t i = 0; i < answer.choices.size(); ++i) {
    if (i > 0) out += ',';
    append_choice(out, i, answer.choices[i].content.text, answer.choices[i].finish);
  }
  out += R"(],"usage":)";
  append_usage(out, answer.usage);
  out += '}';
  return out;
}

std::unique_ptr<Script> completion_script(Answer answer) {
  return std::make_unique<CompletionScript>(std::move(answer));
}

}  // namespace sluice::mock
