#include "http/field_parser.h"

#include <boost/beast/http/basic_parser.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "base/text.h"
#include "http/chars.h"

namespace sluice::http {
namespace {

namespace beast_http = boost::beast::http;
using boost::beast::error_code;
using BeastView = boost::beast::string_view;

std::string_view view(BeastView text) { return {text.data(), text.size()}; }

void look_at_connection(std::string_view list, HeadFacts& facts) {
  while (!list.empty()) {
    const std::string_view option = next_element(list);
    facts.close |= same_name(option, "close");
    facts.keep_alive |= same_name(option, "keep-alive");
    facts.connection_upgrade |= same_name(option, "upgrade");
  }
}

/// Beast's own view of framing is a second opinion: what it refuses is refused, what it accepts we still check.
class FieldSink final : public beast_http::basic_parser<true> {
 public:
  FieldSink(Fields& fields, HeadFacts& facts) : fields_(fields), facts_(facts) {
    header_limit(std::numeric_limits<std::uint32_t>::max());
    body_limit(boost::none);
  }

 private:
  void on_field_impl(beast_http::field field, BeastView name, BeastView value, error_code&) override {
    fields_.add(view(name), view(value));
    if (field == beast_http::field::unknown) return;
    const std::string_view kept = (fields_.end() - 1)->value;
    switch (field) {
      case beast_http::field::content_length:
        facts_.content_length = kept;
        ++facts_.content_lengths;
        break;
      case beast_http::field::transfer_encoding:
        facts_.transfer_encoding = kept;
        ++facts_.transfer_encodings;
        break;
      case beast_http::field::host:
        facts_.host = kept;
        ++facts_.hosts;
        break;
      case beast_http::field::connection:
        look_at_connection(kept, facts_);
        break;
      case beast_http::field::upgrade:
        facts_.upgrade = kept;
        break;
      case beast_http::field::expect:
        facts_.expect = kept;
        break;
      default:
        break;
    }
  }
  void on_request_impl(beast_http::verb, BeastView, BeastView, int, error_code&) override {}
  void on_response_impl(int, BeastView, int, error_code&) override {}
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(BeastView, error_code&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, BeastView, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, BeastView, error_code&) override { return 0; }
  void on_finish_impl(error_code&) override {}

  Fields& fields_;
  HeadFacts& facts_;
};

const Rejection* meaning(const error_code& error, const HeadFacts& facts) {
  using beast_http::error;
  if (error == error::bad_content_length || error == error::multiple_content_length) {
    return facts.transfer_encodings > 0 ? &reject::cl_te : &reject::bad_content_length;
  }
  if (error == error::bad_transfer_encoding) {
    return facts.content_lengths > 0 ? &reject::cl_te : &reject::transfer_encoding;
  }
  return error == error::bad_field ? &reject::field_name : &reject::field_value;
}

std::optional<std::uint64_t> parse_length(std::string_view text) {
  std::int64_t length = 0;
  const bool digits = !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (!digits || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return static_cast<std::uint64_t>(length);
}

}  // namespace

const Rejection* parse_fields(std::string_view lines, Fields& into, HeadFacts& facts) {
  // The start line was taken apart before, since Beast does not say what it dislikes about one.
  constexpr std::string_view start_line = "GET / HTTP/1.1\r\n";
  FieldSink sink(into, facts);
  error_code error;
  sink.put(boost::asio::const_buffer(start_line.data(), start_line.size()), error);
  const std::size_t parsed = sink.put(boost::asio::const_buffer(lines.data(), lines.size()), error);
  if (error) return meaning(error, facts);
  return parsed == lines.size() ? nullptr : &reject::field_value;
}

const Rejection* framing_of(const HeadFacts& facts, FieldFraming& framing) {
  if (facts.transfer_encodings > 0) {
    if (facts.content_lengths > 0) return &reject::cl_te;
    if (facts.transfer_encodings > 1 || !same_name(facts.transfer_encoding, "chunked")) {
      return &reject::transfer_encoding;
    }
    framing.chunked = true;
  } else if (facts.content_lengths > 0) {
    framing.length = parse_length(facts.content_length);
    if (facts.content_lengths > 1 || !framing.length) return &reject::bad_content_length;
  }
  return nullptr;
}

bool forbidden_in_trailers(std::string_view name) {
  constexpr std::array<std::string_view, 19> names{"transfer-encoding",
                                                   "content-length",
                                                   "host",
                                                   "connection",
                                                   "keep-alive",
                                                   "proxy-connection",
                                                   "te",
                                                   "trailer",
                                                   "upgrade",
                                                   "expect",
                                                   "authorization",
                                                   "proxy-authorization",
                                                   "cookie",
                                                   "set-cookie",
                                                   "content-encoding",
                                                   "content-type",
                                                   "content-range",
                                                   "cache-control",
                                                   "www-authenticate"};
  return std::any_of(names.begin(), names.end(), [name](std::string_view other) { return same_name(name, other); });
}

}  // namespace sluice::http
