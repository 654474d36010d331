#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/body_decoder.h"
#include "http/head_scanner.h"
#include "http/message.h"
#include "http/rejection.h"

/// HTTP/1.x messages from bytes (RFC 9112), without I/O, strict where leniency lets two programs see different messages
/// in the same bytes.
///
/// Feeding: call `feed` with what has come and is not consumed yet, drop `consumed` bytes, repeat. Steps come in this
/// order: `head` once, `body` any number of times, `end`. `need_more` has always consumed its whole input: the parser
/// keeps what it needs. Views in a step point into the input. What follows the message is left unconsumed. `end` needs
/// no input: after the last body step (or a head without body) `feed("")` gives it. After an error or `end`, `reset`.
namespace sluice::http {

struct HeadFacts;

class RequestParser {
 public:
  explicit RequestParser(HeadLimits limits = {});

  /// Errors: source client, kind bad_request or too_large; `reject_status` and `reject_reason` say more.
  Result<ParseStep> feed(std::string_view input);

  /// REQUIRES: the `head` step has come. May be moved from. An absolute-form target has been turned into origin form.
  RequestHead& head() { return head_; }

  // What the head says; valid from the `head` step to `reset`, also when the head has been moved away.
  std::optional<std::uint64_t> content_length() const { return body_.content_length(); }
  bool chunked() const { return body_.chunked(); }
  /// A body of at least one byte, or of unknown length, follows.
  bool has_body() const { return body_.has_body(); }
  /// The client wants the connection kept after this message.
  bool keep_alive() const { return keep_alive_; }
  /// The client waits for "100 Continue" before it sends the body.
  bool expects_continue() const { return expects_continue_; }
  /// The protocol that `Upgrade` names ("websocket"), or empty if none is wanted.
  std::string_view upgrade() const { return upgrade_; }

  /// Valid from `end` to `reset`.
  const Fields& trailers() const { return body_.trailers(); }

  /// After an error: what to answer (400, 414, 417, 431, 501, 505) and a short label from a fixed set ("obs_fold").
  int reject_status() const { return rejection_ ? rejection_->status : 400; }
  std::string_view reject_reason() const { return rejection_ ? rejection_->reason : std::string_view(); }

  /// Ready for the next message on the same connection.
  void reset();

 private:
  const Rejection* parse_head(std::string_view text);
  const Rejection* parse_request_line(std::string_view line);
  const Rejection* look_at(const HeadFacts& facts);
  tl::unexpected<Error> refuse(const Rejection& rejection);

  HeadLimits limits_;
  HeadScanner scanner_;
  BodyDecoder body_;
  RequestHead head_;
  std::string upgrade_;
  const Rejection* rejection_ = nullptr;
  bool head_done_ = false;
  bool keep_alive_ = false;
  bool expects_continue_ = false;
};

class ResponseParser {
 public:
  explicit ResponseParser(HeadLimits limits = {});

  /// Ready for the answer to the next request. Answers to HEAD have no body whatever their fields say.
  void reset(bool head_request);

  /// Interim answers (100, 102, 103) are skipped; 101 is given as a head, followed by `end`: what comes after it
  /// belongs to the new protocol. Errors: source upstream, kind protocol.
  Result<ParseStep> feed(std::string_view input);
  /// The connection has ended in order: `end` if the message ends so, else an error of kind closed (no byte had come)
  /// or truncated.
  Result<ParseStep> feed_eof();

  /// REQUIRES: the `head` step has come. May be moved from.
  ResponseHead& head() { return head_; }

  std::optional<std::uint64_t> content_length() const { return body_.content_length(); }
  bool chunked() const { return body_.chunked(); }
  /// A body of at least one byte, or of unknown length, follows.
  bool has_body() const { return body_.has_body(); }
  bool upgraded() const { return status_ == 101; }
  /// At least one byte of the answer (or of an interim one) has come.
  bool started() const { return started_; }
  /// After `end`: the connection can carry another request.
  bool reusable() const { return finished_ && keep_alive_ && !body_.until_close() && !upgraded(); }

  const Fields& trailers() const { return body_.trailers(); }
  std::string_view reject_reason() const { return rejection_ ? rejection_->reason : std::string_view(); }

 private:
  const Rejection* parse_head(std::string_view text);
  const Rejection* parse_status_line(std::string_view line);
  const Rejection* look_at(const HeadFacts& facts);
  tl::unexpected<Error> refuse(const Rejection& rejection);

  HeadScanner scanner_;
  BodyDecoder body_;
  ResponseHead head_;
  const Rejection* rejection_ = nullptr;
  int status_ = 0;
  int interim_ = 0;
  bool head_request_ = false;
  bool head_done_ = false;
  bool started_ = false;
  bool finished_ = false;
  bool keep_alive_ = false;
};

}  // namespace sluice::http
