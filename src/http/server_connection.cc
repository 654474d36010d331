#include "http/server_connection.h"

#include <array>
#include <exception>

#include "http/tunnel.h"
#include "http/writer.h"
#include "net/running.h"
#include "net/worker.h"

namespace sluice::http {
namespace {

/// What a refused client may still send before the connection is reset, so that the answer reaches it.
constexpr std::uint64_t linger_bytes = 64ULL << 20;
constexpr Duration linger_time = std::chrono::seconds(3);
constexpr std::size_t requests_a_turn = 16;

bool has_no_body(int status) { return status < 200 || status == 204 || status == 304; }

}  // namespace

/// The body of the request under way, read from its connection.
class RequestBody final : public Body {
 public:
  explicit RequestBody(ServerConnection& connection) : connection_(connection) {}

  Task<Result<std::string_view>> read() override {
    if (connection_.parser_.expects_continue() && !continued_) {
      continued_ = true;
      const Result<void> sent = co_await connection_.stream_->write("HTTP/1.1 100 Continue\r\n\r\n");
      if (!sent) co_return tl::unexpected(sent.error());
    }
    while (true) {
      Result<ParseStep> step = connection_.parser_.feed(connection_.unread());
      if (!step) {
        connection_.shared_->observer->message_rejected(connection_.parser_.reject_reason());
        co_return forward(step);
      }
      connection_.take(step->consumed);
      received_ += step->body.size();
      if (step->state == ParseStep::State::end) {
        connection_.body_unread_ = false;
        if (connection_.unread().empty()) connection_.input_.release();
        connection_.watch_for_hang_up();
        co_return std::string_view();
      }
      if (!step->body.empty()) co_return step->body;
      Result<void> filled = co_await fill();
      if (!filled) co_return forward(filled);
    }
  }

  std::optional<std::uint64_t> length() const override { return connection_.parser_.content_length(); }
  const Fields* trailers() const override { return &connection_.parser_.trailers(); }

 private:
  /// The client's time is counted only while we wait for it: a slow upstream is not its fault.
  Task<Result<void>> fill() {
    const ServerLimits& limits = connection_.settings_->limits;
    const TimePoint before = Clock::now();
    connection_.stream_->set_read_deadline(deadline(limits, before));
    connection_.input_.release();
    Result<void> filled = co_await connection_.stream_->readable();
    if (filled) filled = co_await connection_.fill();
    waited_ += Clock::now() - before;
    if (!filled && filled.error().kind == ErrorKind::timeout) {
      filled.error().text = "the request body came too slowly";
      connection_.shared_->observer->message_rejected("slow_body");
    }
    co_return filled;
  }
  TimePoint deadline(const ServerLimits& limits, TimePoint now) const {
    if (limits.body_timeout <= Duration::zero()) return never;
    Duration allowed = limits.body_timeout;
    if (limits.min_body_rate > 0) allowed += std::chrono::seconds(received_ / limits.min_body_rate);
    return now + (allowed - waited_);
  }

  ServerConnection& connection_;
  std::uint64_t received_ = 0;
  Duration waited_{};
  bool continued_ = false;
};

ServerConnection::ServerConnection(std::shared_ptr<Server::Shared> shared, std::unique_ptr<net::Stream> stream,
                                   Peer peer)
    : shared_(std::move(shared)),
      settings_(shared_->settings),
      stream_(std::move(stream)),
      peer_(std::move(peer)),
      parser_({settings_->limits.max_header_bytes, settings_->limits.max_header_count}) {
  self_ = shared_->connections.insert(shared_->connections.end(), this);
  stream_->set_write_stall(settings_->limits.write_stall_timeout);
  shared_->observer->connection_opened(peer_.listener);
}

ServerConnection::~ServerConnection() {
  shared_->connections.erase(self_);
  if (settings_->enforce_connection_limits) shared_->gauge->leave(peer_.address);
  shared_->observer->connection_closed(peer_.listener);
  if (shared_->draining && shared_->connections.empty() && shared_->on_empty) shared_->on_empty();
}

Task<void> ServerConnection::run() {
  stream_->set_read_deadline(deadline_after(settings_->limits.header_timeout));
  const Result<void> handshaken = co_await stream_->handshake();
  if (!handshaken) co_return;
  After after = After::keep_alive;
  while (after == After::keep_alive) {
    if (!co_await read_head()) co_return;
    after = co_await serve_request();
    // Requests that lie ready are served without a wait between them: let others have their turn.
    if (begin_ != end_ && requests_ % requests_a_turn == 0) co_await net::sleep_for(Duration(1));
  }
  if (after == After::abort) co_return stream_->abort();
  if (after == After::linger) co_await linger();
}

void ServerConnection::drain() {
  if (idle_) stream_->close();
}

void ServerConnection::close() {
  stream_->close();
  if (on_hang_up_) on_hang_up_();  // may destroy this
}

void ServerConnection::take(std::size_t bytes) {
  begin_ += bytes;
  if (begin_ == end_) begin_ = end_ = 0;
}

/// Reads what is there; an orderly end is the error `closed`.
Task<Result<void>> ServerConnection::fill() {
  if (!input_) input_ = Block::acquire();
  const Result<std::size_t> got = co_await stream_->read(input_.span());
  if (!got) co_return tl::unexpected(got.error());
  if (*got == 0) co_return fail(ErrorKind::closed, ErrorSource::client, "the client closed the connection");
  begin_ = 0;
  end_ = *got;
  co_return Result<void>();
}

/// The next request obeys the configuration that is in force when it begins.
void ServerConnection::follow_settings() {
  const std::shared_ptr<const ServerSettings>& now = shared_->settings;
  if (settings_ == now || settings_->enforce_connection_limits != now->enforce_connection_limits) return;
  settings_ = now;
  parser_ = RequestParser({now->limits.max_header_bytes, now->limits.max_header_count});
  stream_->set_write_stall(now->limits.write_stall_timeout);
}

Task<bool> ServerConnection::read_head() {
  if (requests_ > 0) parser_.reset();
  follow_settings();
  const ServerLimits& limits = settings_->limits;
  idle_ = begin_ == end_;
  bool begun = false;  // the deadline runs from the first byte on, and no later byte moves it
  while (true) {
    if (begin_ == end_) {
      if (idle_ && shared_->draining) co_return false;
      input_.release();
      if (idle_)
        stream_->set_read_deadline(deadline_after(requests_ > 0 ? limits.idle_timeout : limits.header_timeout));
      Result<void> filled = co_await stream_->readable();
      if (filled) filled = co_await fill();
      if (!filled) {
        const bool too_slow = filled.error().kind == ErrorKind::timeout && !idle_;
        if (too_slow)
          co_await refuse(
              {ErrorKind::timeout, ErrorSource::client, Retryable::no, "the request header came too slowly"});
        co_return false;
      }
    }
    if (!begun) stream_->set_read_deadline(deadline_after(limits.header_timeout));
    begun = true;
    idle_ = false;
    const Result<ParseStep> step = parser_.feed(unread());
    if (!step) {
      co_await refuse(step.error());
      co_return false;
    }
    take(step->consumed);
    if (step->state == ParseStep::State::head) co_return true;
  }
}

Task<ServerConnection::After> ServerConnection::serve_request() {
  ++requests_;
  request_.head = std::move(parser_.head());
  head_request_ = request_.head.method == "HEAD";
  old_client_ = request_.head.minor == 0;
  request_.peer = &peer_;
  body_unread_ = parser_.has_body();
  request_.body = body_unread_ ? std::make_unique<RequestBody>(*this) : nullptr;
  if (begin_ == end_) input_.release();

  net::Running<After> answering(answer());
  if (!answering.done()) {
    on_hang_up_ = [&answering] { answering.interrupt(); };
    if (!body_unread_) watch_for_hang_up();
    co_await answering.finished();
    on_hang_up_ = nullptr;
  }
  stream_->unwatch();
  co_return answering.done() ? answering.take() : After::close;
}

/// From now on a client that goes away interrupts the answer under way. Bytes of a next request are no hang-up.
void ServerConnection::watch_for_hang_up() {
  stream_->watch([this] {
    if (!on_hang_up_) return;
    if (stream_->hung_up()) return on_hang_up_();
    watch_for_hang_up();
  });
}

Task<ServerConnection::After> ServerConnection::answer() {
  Response response;
  std::string failure;
  try {
    response = co_await shared_->handler->handle(request_);
  } catch (const std::exception& error) {
    failure = error.what();
  }
  if (!failure.empty()) {
    const Error error{ErrorKind::internal, ErrorSource::gateway, Retryable::no, "internal error: " + failure};
    response = shared_->handler->fail(500, error);
  }
  if (response.upgrade) co_return co_await tunnel(std::move(response));
  co_return co_await send(std::move(response));
}

Task<ServerConnection::After> ServerConnection::send(Response response) {
  const ServerLimits& limits = settings_->limits;
  const bool last = limits.max_requests_per_connection > 0 && requests_ >= limits.max_requests_per_connection;
  std::optional<Result<std::string_view>> first;
  std::optional<net::Running<Result<std::string_view>>> reading;

  const bool bodiless = head_request_ || has_no_body(response.status);
  if (response.body && !bodiless) {
    reading.emplace(response.body->read());
    if (reading->done()) first = reading->take();
    if (first && !*first) {
      // Nothing was sent yet: the failure can still be said properly.
      Response failed = shared_->handler->fail(502, first->error());
      reading.reset();
      response = std::move(failed);
      reading.emplace(response.body->read());
      first = reading->take();
    }
  }

  ResponseFraming framing;
  if (response.body)
    framing.length = response.body->length();
  else if (!head_request_)
    framing.length = 0;  // what a GET would give is not known here
  framing.chunked = !framing.length && !old_client_ && !bodiless;
  framing.head_request = head_request_;
  const bool until_close = !framing.length && !framing.chunked && !bodiless;
  framing.keep_alive = parser_.keep_alive() && !shared_->draining && !last && !body_unread_ && !until_close;
  framing.old_client = old_client_;
  std::string head;
  write_response_head(head, response.status, response.fields, framing);
  response.fields.clear();

  if (!reading) {
    const Result<void> sent = co_await stream_->write(head);
    if (!sent) co_return After::close;
  } else {
    if (!first) {
      const Result<void> sent = co_await stream_->write(head);
      if (!sent) co_return After::close;
      head = std::string();  // with its memory, as this may take long
      co_await reading->finished();
      first = reading->take();
    }
    const After after = co_await send_body(*response.body, framing.chunked, std::move(*first), std::move(head));
    if (after != After::keep_alive) co_return after == After::close&& until_close ? After::abort : after;
  }
  if (framing.keep_alive) co_return After::keep_alive;
  co_return body_unread_ ? After::linger : After::close;
}

/// Sends a body from its first piece on, `head` before it. The end of a broken body is never a proper end.
Task<ServerConnection::After> ServerConnection::send_body(Body& body, bool chunked, Result<std::string_view> piece,
                                                          std::string head) {
  while (piece && !piece->empty()) {
    ChunkHead size(piece->size());
    const std::array<std::string_view, 4> pieces{head, chunked ? size.text() : "", *piece, chunked ? "\r\n" : ""};
    const Result<void> sent = co_await stream_->write(pieces);
    if (!sent) co_return After::close;
    head = std::string();
    piece = co_await body.read();
  }
  if (!piece) co_return piece.error().kind == ErrorKind::reset ? After::abort : After::close;
  std::string end = std::move(head);
  if (chunked) write_last_chunk(end, body.trailers());
  if (!end.empty()) {
    const Result<void> sent = co_await stream_->write(end);
    if (!sent) co_return After::close;
  }
  co_return After::keep_alive;
}

Task<ServerConnection::After> ServerConnection::tunnel(Response response) {
  std::string head;
  write_upgrade_head(head, response.fields);
  head += response.upgrade->early;
  const Result<void> sent = co_await stream_->write(head);
  if (!sent) co_return After::close;
  stream_->unwatch();
  on_hang_up_ = nullptr;
  const std::string early(unread());
  input_.release();
  co_await run_tunnel(*stream_, *response.upgrade, early, settings_->limits.tunnel_idle_timeout);
  co_return After::close;
}

Task<void> ServerConnection::refuse(const Error& error) {
  const bool slow = error.kind == ErrorKind::timeout;
  shared_->observer->message_rejected(slow ? "slow_header" : parser_.reject_reason());
  Response response = shared_->handler->fail(slow ? 408 : parser_.reject_status(), error);
  ResponseFraming framing;
  framing.length = response.body ? response.body->length() : std::optional<std::uint64_t>(0);
  std::string text;
  write_response_head(text, response.status, response.fields, framing);
  if (response.body) {
    const Result<std::string_view> body = co_await response.body->read();
    if (body) text += *body;
  }
  const Result<void> sent = co_await stream_->write(text);
  if (sent) co_await linger();
}

/// Closing a socket with unread bytes resets it, and the reset may overtake the answer: read on for a moment.
Task<void> ServerConnection::linger() {
  stream_->shutdown_send();
  stream_->set_read_deadline(Clock::now() + linger_time);
  std::uint64_t discarded = 0;
  while (discarded < linger_bytes) {
    input_.release();
    const Result<void> ready = co_await stream_->readable();
    if (!ready) co_return;
    input_ = Block::acquire();
    const Result<std::size_t> got = co_await stream_->read(input_.span());
    if (!got || *got == 0) co_return;
    discarded += *got;
  }
}

}  // namespace sluice::http
