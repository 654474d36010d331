#pragma once

#include <memory>
#include <optional>
#include <string>

#include "http/body.h"
#include "provider/mock/directions.h"
#include "provider/mock/journal.h"
#include "provider/mock/script.h"

namespace sluice::mock {

/// Plays a script at the pace, in the pieces and with the fault that the directions ask for. A reset is the error
/// `reset`, a cut the error `closed`: the server turns them into what they say.
class StreamBody final : public http::Body {
 public:
  StreamBody(std::unique_ptr<Script> script, const Directions& directions, std::shared_ptr<Journal> journal,
             std::optional<std::uint64_t> length = std::nullopt);

  Task<Result<std::string_view>> read() override;
  std::optional<std::uint64_t> length() const override { return length_; }

 private:
  Task<Result<std::string_view>> next_event();
  Task<Result<std::string_view>> strike();
  Duration pause_before(Script::Event event);
  bool strikes_now() const;
  std::string_view slice();
  tl::unexpected<Error> broken(ErrorKind kind, std::string text);

  std::unique_ptr<Script> script_;
  Directions directions_;
  StreamCount count_;
  std::optional<std::uint64_t> length_;
  std::string event_;      ///< handed out
  std::string_view rest_;  ///< of event_, not handed out yet
  std::uint64_t events_ = 0;
  std::uint64_t tokens_ = 0;
  bool ended_ = false;
  bool cut_ = false;  ///< half an event was given: only the break can follow
};

/// The body of an answer that is not streamed, when something about it is unusual (a fault, pieces); an "event" of the
/// fault is half of it. Without that a StringBody does.
std::unique_ptr<http::Body> whole_body(std::string text, const Directions& directions,
                                       std::shared_ptr<Journal> journal);

}  // namespace sluice::mock
