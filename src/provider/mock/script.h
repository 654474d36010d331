#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "provider/mock/answer.h"

namespace sluice::mock {

/// The events of one streamed answer, made one by one so that a slow stream holds only its text.
class Script {
 public:
  enum class Event : std::uint8_t {
    frame,  ///< about the answer
    token,  ///< a piece of it
    end,    ///< the mark that it is whole
    none    ///< there is nothing left
  };
  virtual ~Script() = default;
  /// Appends the next event with its blank line.
  virtual Event next(std::string& out) = 0;
  /// Appends an event that says that the server failed.
  virtual void fail(std::string& out) = 0;
};

/// One endpoint's form of an answer.
std::string chat_text(const Answer& answer);
std::unique_ptr<Script> chat_script(Answer answer);
std::string completion_text(const Answer& answer);
std::unique_ptr<Script> completion_script(Answer answer);
std::string responses_text(const Answer& answer);
std::unique_ptr<Script> responses_script(Answer answer);

/// `"prompt_tokens":1,...` of chat and completions, as an object.
void append_usage(std::string& out, const llm::Usage& usage);

}  // namespace sluice::mock
