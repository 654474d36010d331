#include "provider/reply_bodies.h"

#include "llm/dialect/openai/request_view.h"
#include "llm/dialect/openai/usage.h"
#include "llm/estimate.h"
#include "pipeline/refuse.h"

namespace sluice {
namespace {

constexpr std::string_view keep_alive_comment = ": keep-alive\n\n";
/// A whole answer that comes in pieces is copied up to this size to read its usage; a larger one is estimated.
constexpr std::size_t usage_window = 4 << 20;

}  // namespace

InterruptibleReader::InterruptibleReader(Exchange& exchange, std::unique_ptr<http::Body> body)
    : exchange_(exchange), body_(std::move(body)) {}

InterruptibleReader::~InterruptibleReader() { exchange_.set_interrupt(nullptr); }

Task<InterruptibleReader::Came> InterruptibleReader::read(TimePoint deadline) {
  if (exchange_.cancelled()) co_return Came::interrupted;
  if (!reading_) reading_.emplace(body_->read());
  if (reading_->done()) co_return Came::piece;
  exchange_.set_interrupt([this] { reading_->interrupt(); });
  const bool ended = co_await reading_->finished(deadline);
  exchange_.set_interrupt(nullptr);
  if (ended) co_return Came::piece;
  co_return exchange_.cancelled() ? Came::interrupted : Came::deadline;
}

Result<std::string_view> InterruptibleReader::take() {
  Result<std::string_view> piece = reading_->take();
  reading_.reset();
  return piece;
}

void InterruptibleReader::drop() {
  reading_.reset();
  body_.reset();
}

void ReplyContext::settle(const llm::Usage& usage) const {
  exchange.record.usage = usage;
  exchange.record.cost = prices.cost(provider, exchange.record.upstream_model, usage);
}

std::uint64_t ReplyContext::estimated_prompt() const {
  const Result<llm::openai::RequestView> view = llm::openai::RequestView::parse(call.body);
  return view ? llm::estimate_tokens(view->prompt_text()) : 0;
}

StreamReply::StreamReply(const ReplyContext& context, std::unique_ptr<http::Body> upstream,
                         llm::openai::StreamRelay relay)
    : context_(context), reader_(context.exchange, std::move(upstream)), relay_(std::move(relay)) {}

StreamReply::~StreamReply() { settle(); }

/// However it ended, what was used so far is accounted. REQUIRES: the call is still there.
void StreamReply::settle() {
  if (std::exchange(settled_, true)) return;
  context_.settle(relay_.counted() ? relay_.usage(0) : relay_.usage(context_.estimated_prompt()));
}

Task<Result<std::string_view>> StreamReply::read() {
  if (ended_) co_return std::string_view();
  co_return co_await next_events();
}

Task<Result<std::string_view>> StreamReply::next_events() {
  Exchange& exchange = context_.exchange;
  while (true) {
    const InterruptibleReader::Came came = co_await reader_.read(deadline_after(exchange.route.keep_alive_comment));
    if (came == InterruptibleReader::Came::interrupted) co_return break_off(*exchange.cancelled(), Outcome::ended);
    if (came == InterruptibleReader::Came::deadline) {
      if (!relay_.at_boundary()) continue;
      ++exchange.record.keep_alive_comments;
      co_return keep_alive_comment;
    }
    const Result<std::string_view> piece = reader_.take();
    if (!piece) co_return break_off(piece.error(), Outcome::broken);
    if (piece->empty()) co_return end();
    const std::string_view events = forward_events(*piece);
    if (!events.empty()) co_return events;
  }
}

std::string_view StreamReply::forward_events(std::string_view bytes) {
  const std::string_view events = relay_.feed(bytes);
  ExchangeRecord& record = context_.exchange.record;
  record.usage = relay_.usage(0);  // for whoever looks at live exchanges
  if (relay_.content_seen() && !events.empty()) {
    const TimePoint now = Clock::now();
    if (record.first_token == TimePoint{}) record.first_token = now;
    record.gaps.note(now);
  }
  return events;
}

std::string_view StreamReply::end() {
  using End = llm::openai::StreamRelay::End;
  const End end = relay_.finish();
  if (end == End::truncated) {
    return break_off({ErrorKind::truncated, ErrorSource::upstream, Retryable::no,
                      "The provider ended the stream before the answer was whole."},
                     Outcome::broken);
  }
  if (end == End::failed) {
    note_failure(
        context_.exchange,
        {ErrorKind::protocol, ErrorSource::upstream, Retryable::no, "The provider reported an error in its stream."},
        Outcome::broken);
  }
  ended_ = true;
  settle();
  reader_.drop();
  return relay_.rest();
}

std::string_view StreamReply::break_off(const Error& error, Outcome outcome) {
  note_failure(context_.exchange, error, outcome);
  ended_ = true;
  settle();
  last_words_ = relay_.error_event(error);
  reader_.drop();
  return last_words_;
}

WholeReply::WholeReply(const ReplyContext& context, std::unique_ptr<http::Body> upstream, bool count)
    : context_(context),
      reader_(context.exchange, std::move(upstream)),
      length_(reader_.body().length()),
      count_(count) {}

WholeReply::~WholeReply() { settle_by_estimate(); }

/// A client that left before the usage came is charged by estimate. REQUIRES: the call is still there.
void WholeReply::settle_by_estimate() {
  if (!std::exchange(count_, false)) return;
  llm::Usage estimate;
  estimate.known = estimate.estimated = true;
  estimate.prompt = context_.estimated_prompt();
  context_.settle(estimate);
}

Task<Result<std::string_view>> WholeReply::read() {
  const InterruptibleReader::Came came = co_await reader_.read(never);
  if (came == InterruptibleReader::Came::interrupted) {
    settle_by_estimate();
    reader_.drop();
    co_return tl::unexpected(*context_.exchange.cancelled());
  }
  Result<std::string_view> piece = reader_.take();
  if (piece && count_) look_at(*piece);
  co_return piece;
}

/// The usual answer comes in one piece and is looked at where it lies.
void WholeReply::look_at(std::string_view piece) {
  seen_ += piece.size();
  const bool last = piece.empty() || (length_ && seen_ == *length_);
  if (last && seen_ == piece.size()) return count_usage(piece);
  if (seen_ <= usage_window) kept_.append(piece);
  if (last && kept_.size() == seen_) count_usage(kept_);
}

void WholeReply::count_usage(std::string_view text) {
  const llm::Usage usage = llm::openai::usage_of(text);
  if (usage.known) context_.settle(usage);
  count_ = !usage.known;
}

}  // namespace sluice
