#include "http/client_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "http/writer.h"

namespace sluice::http {
namespace {

/// Methods whose requests say that they have no body (RFC 9110 8.6).
bool announces_empty_body(std::string_view method) { return method == "POST" || method == "PUT" || method == "PATCH"; }

/// The connection ended, in order or not.
bool lost(const Error& error) { return error.kind == ErrorKind::reset || error.kind == ErrorKind::closed; }

RequestFraming framing_of(const ClientRequest& request) {
  RequestFraming framing;
  framing.upgrade = request.upgrade;
  if (request.stream) {
    framing.length = request.stream->length();
    framing.chunked = !framing.length;
  } else if (request.has_body || !request.body.empty() || announces_empty_body(request.method)) {
    framing.length = request.body.size();
  }
  return framing;
}

}  // namespace

ClientCall::ClientCall(std::unique_ptr<ClientConnection> connection, const ClientRequest& request,
                       const ClientTimeouts& timeouts, TimePoint total)
    : connection_(std::move(connection)),
      request_(request),
      timeouts_(timeouts),
      total_(total),
      reused_(connection_->reused()) {}

ClientCall::~ClientCall() = default;

Task<Result<void>> ClientCall::begin(std::string_view host) {
  if (!write_head(host)) {
    co_return fail(ErrorKind::bad_request, ErrorSource::gateway, "the request's method, target or host cannot be sent");
  }
  net::Stream& stream = connection_->stream();
  stream.set_write_stall(timeouts_.write_stall);
  stream.set_read_deadline(total_);
  parser_.reset(request_.method == "HEAD");
  upload_ = upload();
  upload_.start();
  const Result<ParseStep> step = co_await next();
  if (!step) co_return tl::unexpected(step.error());
  co_return Result<void>();
}

bool ClientCall::write_head(std::string_view host) {
  static const Fields none;
  const Fields& fields = request_.fields ? *request_.fields : none;
  return write_request_head(head_, request_.method, request_.target, host, fields, framing_of(request_));
}

bool ClientCall::repeatable(const Error& error) const {
  return reused_ && lost(error) && !failure_ && !parser_.started() && !stream_pulled_;
}

Result<Response> ClientCall::response(std::unique_ptr<ClientCall> call) {
  Response response;
  ResponseHead& head = call->parser_.head();
  response.status = head.status;
  response.fields = std::move(head.fields);
  if (call->parser_.upgraded()) {
    if (call->request_.upgrade.empty()) {
      return fail(ErrorKind::protocol, ErrorSource::upstream, "the server switched protocols unasked");
    }
    net::Stream& stream = call->connection_->stream();
    stream.set_read_deadline(never);
    stream.set_write_stall(Duration::zero());
    response.upgrade = std::make_unique<Upgrade>();
    response.upgrade->early = call->unread();
    call->upload_.reset();
    response.upgrade->stream = ClientConnection::release(std::move(call->connection_));
    return response;
  }
  if (call->parser_.has_body()) {
    response.body = std::move(call);
  } else if (call->parser_.feed("")) {
    call->finish();
  }
  return response;
}

// ---------------------------------------------------------------- the request

Task<void> ClientCall::upload() {
  Result<void> written = co_await write_request();
  if (!written) co_return upload_failed(std::move(written.error()));
  sent_ = true;
  head_ = std::string();
  await_first_byte();
}

Task<Result<void>> ClientCall::write_request() {
  if (request_.stream) co_return co_await write_stream();
  const std::array<std::string_view, 2> pieces{head_, request_.body};
  co_return co_await connection_->stream().write(pieces);
}

Task<Result<void>> ClientCall::write_stream() {
  net::Stream& stream = connection_->stream();
  const std::optional<std::uint64_t> length = request_.stream->length();
  Result<void> written = co_await stream.write(head_);
  std::uint64_t sent = 0;
  while (written) {
    stream_pulled_ = true;
    Result<std::string_view> piece = co_await request_.stream->read();
    stream_failed_ = !piece || (length && (sent + piece->size() > *length || (piece->empty() && sent < *length)));
    if (!piece) co_return forward(piece);
    if (stream_failed_) {
      co_return fail(ErrorKind::internal, ErrorSource::gateway, "the request's body is not as long as announced");
    }
    if (piece->empty()) break;
    sent += piece->size();
    const ChunkHead size(piece->size());
    const bool chunked = !length;
    const std::array<std::string_view, 3> pieces{chunked ? size.text() : "", *piece, chunked ? "\r\n" : ""};
    written = co_await stream.write(pieces);
    sent_ = written && length == sent;  // the server may answer before we have seen the body's end
  }
  if (!written || length) co_return written;
  std::string end;
  write_last_chunk(end, request_.stream->trailers());
  co_return co_await stream.write(end);
}

/// A server that resets the connection may have answered before: whoever reads will find out. Any other failure ends
/// the call.
void ClientCall::upload_failed(Error error) {
  if (!stream_failed_ && error.kind == ErrorKind::reset) return await_first_byte();
  if (!stream_failed_ && error.kind == ErrorKind::timeout) {
    error.text = fmt::format("the server took not one byte of the request for {}s", seconds(timeouts_.write_stall));
  }
  if (!failure_) failure_ = std::move(error);
  connection_->stream().close();
}

// ---------------------------------------------------------------- the answer

Task<Result<std::string_view>> ClientCall::read() {
  if (!connection_) {
    if (failure_) co_return tl::unexpected(*failure_);
    co_return std::string_view();
  }
  const Result<ParseStep> step = co_await next();
  if (!step) co_return tl::unexpected(step.error());
  if (step->state == ParseStep::State::end) {
    finish();
    co_return std::string_view();
  }
  body_started_ = true;
  co_return gather(step->body);
}

/// Reads until the parser has something to say. The block is given away before waiting.
Task<Result<ParseStep>> ClientCall::next() {
  net::Stream& stream = connection_->stream();
  while (true) {
    Result<ParseStep> step = parser_.feed(unread());
    if (!step) co_return step;
    take(step->consumed);
    if (step->state != ParseStep::State::need_more) co_return step;
    if (body_started_) stream.set_read_deadline(within(timeouts_.between_bytes));
    if (!more_) {
      block_.release();
      const Result<void> ready = co_await stream.readable();
      if (!ready) co_return tl::unexpected(explain(ready.error()));
      block_ = Block::acquire();
    }
    const Result<std::size_t> got = co_await stream.read(block_.span());
    if (!got) co_return tl::unexpected(explain(got.error()));
    if (*got == 0) {
      Result<ParseStep> last = parser_.feed_eof();
      if (!last) last.error() = explain(std::move(last.error()));
      co_return last;
    }
    end_ = *got;
    more_ = end_ == Block::size();
  }
}

/// Puts what the block holds of the body in one place, behind its first piece, so that many small chunks travel on as
/// one; and notices the body's end now, so that the connection is free while the last bytes are on their way.
std::string_view ClientCall::gather(std::string_view first) {
  char* const data = block_.data() + (first.data() - block_.data());
  std::size_t size = first.size();
  while (true) {
    Result<ParseStep> step = parser_.feed(unread());
    if (!step) {
      failure_ = std::move(step.error());
      upload_.reset();
      connection_.reset();
      break;
    }
    if (!step->body.empty()) {
      std::memmove(data + size, step->body.data(), step->body.size());
      size += step->body.size();
    }
    take(step->consumed);
    if (step->state == ParseStep::State::end) finish();
    if (step->state != ParseStep::State::body) break;
  }
  return {data, size};
}

void ClientCall::take(std::size_t bytes) {
  begin_ += bytes;
  if (begin_ == end_) begin_ = end_ = 0;
}

/// The answer is whole. Bytes after it, which the next request would take for its answer, or a request that is not all
/// sent, make the connection useless.
void ClientCall::finish() {
  const bool keep = sent_ && parser_.reusable() && begin_ == end_ && !connection_->stream().has_unread();
  upload_.reset();
  std::unique_ptr<ClientConnection> connection = std::move(connection_);
  if (keep) ClientConnection::keep(std::move(connection));
}

// ---------------------------------------------------------------- time and errors

void ClientCall::await_first_byte() {
  if (!body_started_) connection_->stream().set_read_deadline(within(timeouts_.first_byte));
}

TimePoint ClientCall::within(Duration wait) const { return std::min(total_, deadline_after(wait)); }

/// Says what a failed read means in terms of the call.
Error ClientCall::explain(Error error) const {
  if (failure_) return *failure_;
  if (error.kind == ErrorKind::timeout) {
    if (total_ != never && Clock::now() >= total_) {
      error.text = fmt::format("the answer was not complete within {}s", seconds(timeouts_.total));
    } else if (body_started_) {
      error.text = fmt::format("the answer stalled: not one byte for {}s", seconds(timeouts_.between_bytes));
    } else {
      error.text = fmt::format("no answer within {}s", seconds(timeouts_.first_byte));
    }
  } else if (lost(error) && !parser_.started() && reused_) {
    error.retryable = Retryable::reused_only;
  }
  return error;
}

}  // namespace sluice::http
