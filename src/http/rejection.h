#pragma once

#include <string_view>

namespace sluice::http {

/// Why a message is refused. All are constants: a parser hands out pointers to them.
struct Rejection {
  int status;               ///< what a client is answered before its connection is closed
  std::string_view reason;  ///< short and from a fixed set, for metrics
  std::string_view text;    ///< for people
};

namespace reject {

inline constexpr Rejection bare_cr{400, "bare_cr", "a CR without LF in the message head"};
inline constexpr Rejection bare_lf{400, "bare_lf", "a line of the message head ends with a bare LF"};
inline constexpr Rejection nul{400, "nul", "a NUL byte in the message head"};
inline constexpr Rejection control{400, "control", "a control character in the message head"};
inline constexpr Rejection obs_fold{400, "obs_fold", "a header field is folded over several lines"};
inline constexpr Rejection start_line{400, "start_line", "the first line is not an HTTP start line"};
inline constexpr Rejection method{400, "method", "the method is not a token"};
inline constexpr Rejection connect{400, "connect", "CONNECT is not offered"};
inline constexpr Rejection target{400, "target", "the request target is not valid"};
inline constexpr Rejection version{505, "version", "only HTTP/1.0 and HTTP/1.1 are spoken here"};
inline constexpr Rejection field_name{400, "field_name", "a header field name is not a token followed by a colon"};
inline constexpr Rejection field_value{400, "field_value", "a header field value is not valid"};
inline constexpr Rejection host{400, "host", "the Host field is missing, repeated or not valid"};
inline constexpr Rejection host_mismatch{400, "host_mismatch", "the request target and Host name different hosts"};
inline constexpr Rejection cl_te{400, "cl_te", "both Content-Length and Transfer-Encoding are given"};
inline constexpr Rejection bad_content_length{400, "bad_content_length", "Content-Length is repeated or not a number"};
inline constexpr Rejection te_in_http_1_0{400, "te_in_http_1_0", "Transfer-Encoding in an HTTP/1.0 message"};
inline constexpr Rejection transfer_encoding{501, "transfer_encoding", "the only transfer coding spoken is chunked"};
inline constexpr Rejection expectation{417, "expectation", "the only expectation met is 100-continue"};
inline constexpr Rejection target_length{414, "target_length", "the request target is too long"};
inline constexpr Rejection header_bytes{431, "header_bytes", "the message head is too large"};
inline constexpr Rejection header_count{431, "header_count", "the message has too many header fields"};
inline constexpr Rejection chunk_size{400, "chunk_size", "a chunk size is not a hexadecimal number of 64 bits"};
inline constexpr Rejection chunk_end{400, "chunk_end", "a chunk or its size is not followed by CRLF"};
inline constexpr Rejection chunk_extension{400, "chunk_extension", "a chunk extension is too long or not valid"};
inline constexpr Rejection trailer_size{431, "trailer_size", "the trailer section is too large"};
inline constexpr Rejection trailer_field{400, "trailer_field", "a trailer field is not valid or not allowed there"};
inline constexpr Rejection interim{502, "interim", "too many interim responses"};

}  // namespace reject
}  // namespace sluice::http
