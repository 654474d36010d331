#pragma once

#include <tl/expected.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace sluice {

/// What went wrong. Stable: `code_of` turns each into the `code` that clients and metrics see.
enum class ErrorKind : std::uint8_t {
  bad_request,      ///< the peer broke the protocol or sent an unusable value
  unauthorized,     ///< a credential is missing or wrong
  not_found,        ///< no such provider, path or resource
  model_not_found,  ///< no such model
  method,           ///< the path exists, the method does not
  too_large,        ///< a bound on headers, body or count was exceeded
  timeout,          ///< a deadline passed
  resolve,          ///< a host name has no address
  connect,          ///< no address accepted the connection
  tls,              ///< the TLS handshake or verification failed
  protocol,         ///< an upstream answered something that is not its protocol
  reset,            ///< the connection broke in the middle
  closed,           ///< the connection ended in order, but too early for the reader
  truncated,        ///< a stream ended before its own end mark
  overloaded,       ///< a limit on connections, queue or memory is reached
  draining,         ///< the gateway is shutting down
  cancelled,        ///< nobody wants the result any more
  config,           ///< the configuration cannot do this
  internal          ///< a defect of ours
};

/// Who is to blame; with `retryable` this makes retry, fallback and accounting one decision on data.
enum class ErrorSource : std::uint8_t { client, gateway, upstream };

enum class Retryable : std::uint8_t {
  no,
  reused_only,  ///< safe only because the connection was a pooled one and no response byte had come
  yes
};

/// A failure as a value. `text` is for people and must never contain a secret.
struct Error {
  ErrorKind kind = ErrorKind::internal;
  ErrorSource source = ErrorSource::gateway;
  Retryable retryable = Retryable::no;
  std::string text;
};

template <class T = void>
using Result = tl::expected<T, Error>;

/// `return fail(ErrorKind::timeout, ErrorSource::upstream, "no first byte within 60s");`
inline tl::unexpected<Error> fail(ErrorKind kind, ErrorSource source, std::string text,
                                  Retryable retryable = Retryable::no) {
  return tl::unexpected<Error>(Error{kind, source, retryable, std::move(text)});
}

/// Passes the error of one result on as the error of another: `if (!r) co_return forward(r);`
template <class T>
tl::unexpected<Error> forward(Result<T>& result) {
  return tl::unexpected<Error>(std::move(result.error()));
}
template <class T>
tl::unexpected<Error> forward(Result<T>&& result) {
  return tl::unexpected<Error>(std::move(result.error()));
}

/// The stable name of a kind ("timeout"), used as `code` in error bodies and as a metric label.
std::string_view code_of(ErrorKind kind);
/// "client", "gateway" or "upstream".
std::string_view name_of(ErrorSource source);

}  // namespace sluice
