#pragma once

#include <tl/expected.hpp>

#include <string>
#include <string_view>

#include "http/message.h"

namespace sluice::mock {

/// A refusal as OpenAI words it: `{"error": {message, type, param, code}}`.
struct Complaint {
  int status = 400;
  std::string message;
  std::string_view type = "invalid_request_error";
  std::string_view param{};  ///< empty: null
  std::string_view code{};   ///< empty: null
};

template <class T>
using Checked = tl::expected<T, Complaint>;

inline tl::unexpected<Complaint> complain(std::string message, std::string_view param = {},
                                          std::string_view code = {}) {
  return tl::unexpected<Complaint>({400, std::move(message), "invalid_request_error", param, code});
}
tl::unexpected<Complaint> missing(std::string_view param);

/// What OpenAI says with a status (401, 404, 429, 500, 503, ...).
Complaint complaint_of_status(int status);

/// The object alone: also the data of an error event in a stream.
std::string error_object(const Complaint& complaint);
http::Response refusal(const Complaint& complaint);

}  // namespace sluice::mock
