#include "provider/mock/stream_body.h"

#include "net/worker.h"

namespace sluice::mock {
namespace {

using Kind = Fault::Kind;

/// A fault before the first byte still lets the head of the answer go out.
constexpr Duration head_start = std::chrono::milliseconds(1);
/// Longer than anybody waits.
constexpr Duration stall = std::chrono::hours(24);

/// A whole text as two events.
class HalvesScript final : public Script {
 public:
  explicit HalvesScript(std::string text) : text_(std::move(text)) {}

  Event next(std::string& out) override {
    const std::size_t half = text_.size() / 2;
    if (given_ == 2) return Event::none;
    out.append(text_, given_ == 0 ? 0 : half, given_ == 0 ? half : std::string::npos);
    return ++given_ == 2 ? Event::end : Event::frame;
  }
  void fail(std::string& out) override { out += error_object(complaint_of_status(500)); }

 private:
  std::string text_;
  int given_ = 0;
};

}  // namespace

StreamBody::StreamBody(std::unique_ptr<Script> script, const Directions& directions, std::shared_ptr<Journal> journal,
                       std::optional<std::uint64_t> length)
    : script_(std::move(script)), directions_(directions), count_(std::move(journal)), length_(length) {
  if (directions_.fault.kind == Kind::empty) directions_.fault = {Kind::truncate};
}

Task<Result<std::string_view>> StreamBody::read() {
  if (!rest_.empty()) co_return slice();
  if (cut_) co_return broken(ErrorKind::closed, "the mock closed the connection on purpose");
  if (ended_) {
    count_.finish();
    co_return std::string_view();
  }
  const Result<std::string_view> event = co_await next_event();
  if (!event) co_return tl::unexpected(event.error());
  rest_ = *event;
  if (ended_) count_.finish();
  co_return slice();
}

std::string_view StreamBody::slice() {
  const std::size_t most = directions_.chunk_bytes == 0 ? rest_.size() : directions_.chunk_bytes;
  const std::string_view piece = rest_.substr(0, most);
  rest_.remove_prefix(piece.size());
  return piece;
}

/// The next event, or nothing at the end. `ended_` tells whether anything follows it.
Task<Result<std::string_view>> StreamBody::next_event() {
  event_.clear();
  if (strikes_now()) co_return co_await strike();
  const Script::Event event = script_->next(event_);
  if (const Duration pause = pause_before(event); pause > Duration::zero()) co_await net::sleep_for(pause);
  ++events_;
  ended_ = event == Script::Event::end || event == Script::Event::none;
  if (event == Script::Event::end && directions_.fault.kind == Kind::no_done) event_.clear();
  co_return std::string_view(event_);
}

Duration StreamBody::pause_before(Script::Event event) {
  const bool later_token = event == Script::Event::token && tokens_++ > 0;
  if (events_ == 0) return directions_.first_token;
  return later_token ? directions_.between_tokens : Duration::zero();
}

bool StreamBody::strikes_now() const {
  switch (directions_.fault.kind) {
    case Kind::reset:
    case Kind::cut:
    case Kind::stall:
    case Kind::truncate:
    case Kind::malformed:
    case Kind::error_event:
      return events_ == directions_.fault.after;
    default:
      return false;
  }
}

Task<Result<std::string_view>> StreamBody::strike() {
  if (events_ == 0) co_await net::sleep_for(std::max(head_start, directions_.first_token));
  switch (directions_.fault.kind) {
    case Kind::reset:
      co_return broken(ErrorKind::reset, "the mock reset the connection on purpose");
    case Kind::stall:
      co_await net::sleep_for(stall);
      co_return broken(ErrorKind::closed, "the mock stalled on purpose");
    case Kind::cut:
      script_->next(event_);
      event_.resize(event_.size() / 2);
      cut_ = true;
      break;
    case Kind::malformed:
      event_ = "data: {\"id\":\"mock-malformed\",\"choices\":[{\"delta\":\n\n";
      directions_.fault.kind = Kind::none;
      break;
    case Kind::error_event:
      script_->fail(event_);
      ended_ = true;
      break;
    default:
      ended_ = true;  // truncate
  }
  ++events_;
  // A cut after the last event has nothing to cut.
  if (cut_ && event_.empty()) co_return broken(ErrorKind::closed, "the mock closed the connection on purpose");
  co_return std::string_view(event_);
}

tl::unexpected<Error> StreamBody::broken(ErrorKind kind, std::string text) {
  count_.broke();
  ended_ = true;
  return fail(kind, ErrorSource::upstream, std::move(text));
}

std::unique_ptr<http::Body> whole_body(std::string text, const Directions& directions,
                                       std::shared_ptr<Journal> journal) {
  Directions half = directions;
  half.first_token = half.between_tokens = Duration::zero();
  half.fault.after = std::min<std::uint64_t>(half.fault.after, 1);
  std::optional<std::uint64_t> length = text.size();
  switch (half.fault.kind) {
    case Kind::reset:
    case Kind::cut:
    case Kind::stall:
      break;
    case Kind::truncate:
    case Kind::empty:
      length = std::nullopt;
      break;
    case Kind::malformed:
      return std::make_unique<http::StringBody>(text.substr(0, text.size() / 2));
    default:
      if (half.chunk_bytes == 0) return std::make_unique<http::StringBody>(std::move(text));
      half.fault = {};
  }
  return std::make_unique<StreamBody>(std::make_unique<HalvesScript>(std::move(text)), half, std::move(journal),
                                      length);
}

}  // namespace sluice::mock
