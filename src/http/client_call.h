#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/block_pool.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/task.h"
#include "http/client.h"
#include "http/client_pool.h"
#include "http/parser.h"

namespace sluice::http {

/// One request and its answer on one connection; once the answer's head is there, the answer's body. The request is
/// written by a task of its own, so that an answer that comes early is seen at once.
class ClientCall final : public Body {
 public:
  /// `total`: when all must be over.
  ClientCall(std::unique_ptr<ClientConnection> connection, const ClientRequest& request, const ClientTimeouts& timeouts,
             TimePoint total);
  ~ClientCall() override;

  /// Sends the request and reads the answer's head.
  Task<Result<void>> begin(std::string_view host);
  /// After `begin` failed so: the server may not have seen the request, and it can be sent again.
  bool repeatable(const Error& error) const;
  /// After `begin`: the answer, with the call as its body if it has one.
  static Result<Response> response(std::unique_ptr<ClientCall> call);

  Task<Result<std::string_view>> read() override;
  std::optional<std::uint64_t> length() const override { return parser_.content_length(); }
  const Fields* trailers() const override { return parser_.trailers().empty() ? nullptr : &parser_.trailers(); }

 private:
  bool write_head(std::string_view host);
  Task<void> upload();
  Task<Result<void>> write_request();
  Task<Result<void>> write_stream();
  void upload_failed(Error error);

  Task<Result<ParseStep>> next();
  std::string_view gather(std::string_view first);
  void take(std::size_t bytes);
  std::string_view unread() const { return {block_.data() + begin_, end_ - begin_}; }
  void finish();

  void await_first_byte();
  TimePoint within(Duration wait) const;
  Error explain(Error error) const;

  std::unique_ptr<ClientConnection> connection_;  ///< null once the answer is whole
  ClientRequest request_;
  ClientTimeouts timeouts_;
  TimePoint total_;
  ResponseParser parser_;
  Block block_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::string head_;
  std::optional<Error> failure_;  ///< why we closed the connection ourselves
  bool reused_;
  bool stream_pulled_ = false;  ///< the request's body cannot be had again
  bool stream_failed_ = false;
  bool sent_ = false;          ///< all of the request
  bool body_started_ = false;  ///< the answer's
  bool more_ = false;          ///< the last read filled the block
  Task<void> upload_;          ///< refers to all above
};

}  // namespace sluice::http
