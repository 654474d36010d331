#include "http/parser.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "http/chars.h"
#include "http/field_parser.h"
#include "http/url.h"

namespace sluice::http {
namespace {

constexpr int max_interim = 16;

/// "HTTP/1.0" or "HTTP/1.1"; nothing for others.
std::optional<int> minor_version(std::string_view text) {
  if (text == "HTTP/1.1") return 1;
  if (text == "HTTP/1.0") return 0;
  return std::nullopt;
}

/// Takes the first line off a head, without its CRLF.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find("\r\n");
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 2);
  return line;
}

bool starts_without_case(std::string_view text, std::string_view prefix) {
  return same_name(text.substr(0, prefix.size()), prefix);
}

/// Without the port if it is the scheme's own.
std::string_view without_default_port(std::string_view authority, std::string_view port) {
  return authority.ends_with(port) ? authority.substr(0, authority.size() - port.size()) : authority;
}

/// An absolute-form target taken apart; `scheme_port` is ":80" or ":443".
struct AbsoluteTarget {
  std::string_view authority;
  std::string_view rest;
  std::string_view scheme_port;
};

std::optional<AbsoluteTarget> split_absolute(std::string_view target) {
  AbsoluteTarget result;
  if (starts_without_case(target, "http://")) {
    result.scheme_port = ":80";
  } else if (starts_without_case(target, "https://")) {
    result.scheme_port = ":443";
  } else {
    return std::nullopt;
  }
  target.remove_prefix(target.find("//") + 2);
  const std::size_t end = std::min(target.find_first_of("/?"), target.size());
  result.authority = target.substr(0, end);
  result.rest = target.substr(end);
  return result;
}

/// The path and query that an absolute-form target means, in origin form.
std::string origin_form(std::string_view rest, std::string_view method) {
  if (rest.empty()) return method == "OPTIONS" ? "*" : "/";
  return rest.front() == '?' ? fmt::format("/{}", rest) : std::string(rest);
}

const Rejection* check_host(const HeadFacts& facts, int minor) {
  if (facts.hosts > 1 || (facts.hosts == 0 && minor > 0)) return &reject::host;
  if (facts.hosts == 1 && !is_authority(facts.host)) return &reject::host;
  return nullptr;
}

/// Turns the target into origin form.
const Rejection* settle_target(RequestHead& head, const HeadFacts& facts) {
  if (head.target.front() == '/') return nullptr;
  if (head.target == "*") return head.method == "OPTIONS" ? nullptr : &reject::target;
  const std::optional<AbsoluteTarget> absolute = split_absolute(head.target);
  if (!absolute || !is_authority(absolute->authority)) return &reject::target;
  const std::string_view port = absolute->scheme_port;
  if (facts.hosts == 0) {
    head.fields.add("host", absolute->authority);
  } else if (!same_name(without_default_port(absolute->authority, port), without_default_port(facts.host, port))) {
    return &reject::host_mismatch;
  }
  head.target = origin_form(absolute->rest, head.method);
  return nullptr;
}

}  // namespace

RequestParser::RequestParser(HeadLimits limits)
    : limits_(limits), scanner_(limits, HeadScanner::Kind::request), body_(limits) {}

void RequestParser::reset() {
  scanner_.reset();
  body_.set_none();
  head_ = RequestHead();
  upgrade_.clear();
  rejection_ = nullptr;
  head_done_ = keep_alive_ = expects_continue_ = false;
}

Result<ParseStep> RequestParser::feed(std::string_view input) {
  ParseStep step;
  if (head_done_) {
    if (const Rejection* rejection = body_.feed(input, step)) return refuse(*rejection);
    return step;
  }
  const HeadScanner::Step scanned = scanner_.feed(input);
  if (scanned.rejection) return refuse(*scanned.rejection);
  step.consumed = scanned.consumed;
  if (!scanned.done) return step;
  if (const Rejection* rejection = parse_head(scanned.text)) return refuse(*rejection);
  scanner_.reset();
  head_done_ = true;
  step.state = ParseStep::State::head;
  return step;
}

const Rejection* RequestParser::parse_head(std::string_view text) {
  if (const Rejection* rejection = parse_request_line(take_line(text))) return rejection;
  HeadFacts facts;
  if (const Rejection* rejection = parse_fields(text, head_.fields, facts)) return rejection;
  if (const Rejection* rejection = check_host(facts, head_.minor)) return rejection;
  if (const Rejection* rejection = settle_target(head_, facts)) return rejection;
  return look_at(facts);
}

const Rejection* RequestParser::parse_request_line(std::string_view line) {
  const std::size_t method_end = line.find(' ');
  if (method_end == std::string_view::npos) return &reject::start_line;
  const std::string_view method = line.substr(0, method_end);
  if (!is_token(method)) return &reject::method;
  const std::size_t target_end = line.find(' ', method_end + 1);
  if (target_end == std::string_view::npos) return &reject::version;  // HTTP/0.9
  const std::string_view target = line.substr(method_end + 1, target_end - method_end - 1);
  const std::string_view version = line.substr(target_end + 1);
  const std::optional<int> minor = minor_version(version);
  if (!minor) return version.find(' ') == std::string_view::npos ? &reject::version : &reject::target;
  if (target.size() > limits_.max_target) return &reject::target_length;
  if (method == "CONNECT") return &reject::connect;
  if (!is_target(target)) return &reject::target;
  head_.method = method;
  head_.target = target;
  head_.minor = *minor;
  return nullptr;
}

const Rejection* RequestParser::look_at(const HeadFacts& facts) {
  FieldFraming framing;
  if (const Rejection* rejection = framing_of(facts, framing)) return rejection;
  if (framing.chunked && head_.minor == 0) return &reject::te_in_http_1_0;
  body_.set_none();
  if (framing.chunked) body_.set_chunked();
  if (framing.length) body_.set_length(*framing.length);
  keep_alive_ = !facts.close && (head_.minor > 0 || facts.keep_alive);
  if (facts.connection_upgrade && head_.minor > 0) upgrade_ = facts.upgrade;
  if (facts.expect.empty() || head_.minor == 0) return nullptr;
  if (!same_name(facts.expect, "100-continue")) return &reject::expectation;
  expects_continue_ = has_body();
  return nullptr;
}

tl::unexpected<Error> RequestParser::refuse(const Rejection& rejection) {
  rejection_ = &rejection;
  const bool size = rejection.status == 414 || rejection.status == 431;
  return fail(size ? ErrorKind::too_large : ErrorKind::bad_request, ErrorSource::client, std::string(rejection.text));
}

ResponseParser::ResponseParser(HeadLimits limits) : scanner_(limits, HeadScanner::Kind::response), body_(limits) {}

void ResponseParser::reset(bool head_request) {
  scanner_.reset();
  body_.set_none();
  head_ = ResponseHead();
  rejection_ = nullptr;
  status_ = interim_ = 0;
  head_request_ = head_request;
  head_done_ = started_ = finished_ = keep_alive_ = false;
}

Result<ParseStep> ResponseParser::feed(std::string_view input) {
  ParseStep step;
  started_ |= !input.empty();
  while (!head_done_) {
    const HeadScanner::Step scanned = scanner_.feed(input.substr(step.consumed));
    if (scanned.rejection) return refuse(*scanned.rejection);
    step.consumed += scanned.consumed;
    if (!scanned.done) return step;
    if (const Rejection* rejection = parse_head(scanned.text)) return refuse(*rejection);
    scanner_.reset();
    if (!head_done_) continue;
    step.state = ParseStep::State::head;
    return step;
  }
  if (const Rejection* rejection = body_.feed(input, step)) return refuse(*rejection);
  finished_ = step.state == ParseStep::State::end;
  return step;
}

Result<ParseStep> ResponseParser::feed_eof() {
  if (head_done_ && body_.until_close()) {
    finished_ = true;
    return ParseStep{ParseStep::State::end};
  }
  if (!started_)
    return fail(ErrorKind::closed, ErrorSource::upstream, "the server closed the connection without an answer");
  return fail(ErrorKind::truncated, ErrorSource::upstream,
              "the server closed the connection in the middle of its answer");
}

const Rejection* ResponseParser::parse_head(std::string_view text) {
  if (const Rejection* rejection = parse_status_line(take_line(text))) return rejection;
  HeadFacts facts;
  if (const Rejection* rejection = parse_fields(text, head_.fields, facts)) return rejection;
  if (head_.status < 200 && head_.status != 101) {
    head_ = ResponseHead();
    return ++interim_ > max_interim ? &reject::interim : nullptr;
  }
  status_ = head_.status;
  head_done_ = true;
  return look_at(facts);
}

const Rejection* ResponseParser::parse_status_line(std::string_view line) {
  constexpr std::size_t status_at = 9;  // after "HTTP/1.1 "
  const std::optional<int> minor = minor_version(line.substr(0, status_at - 1));
  if (!minor) return line.starts_with("HTTP/") ? &reject::version : &reject::start_line;
  const std::string_view rest = line.substr(std::min(status_at, line.size()));
  const bool digits = rest.size() >= 3 && std::all_of(rest.begin(), rest.begin() + 3, is_digit);
  // The reason phrase may be missing, with or without its space.
  if (!digits || line[status_at - 1] != ' ' || (rest.size() > 3 && rest[3] != ' ')) return &reject::start_line;
  head_.minor = *minor;
  head_.status = (rest[0] - '0') * 100 + (rest[1] - '0') * 10 + (rest[2] - '0');
  return head_.status < 100 || head_.status > 599 ? &reject::start_line : nullptr;
}

const Rejection* ResponseParser::look_at(const HeadFacts& facts) {
  FieldFraming framing;
  if (const Rejection* rejection = framing_of(facts, framing)) return rejection;
  keep_alive_ = !facts.close && (head_.minor > 0 || (facts.keep_alive && !framing.chunked));
  if (head_request_ || status_ == 101 || status_ == 204 || status_ == 304) {
    body_.set_none();
  } else if (framing.chunked) {
    body_.set_chunked();
  } else if (framing.length) {
    body_.set_length(*framing.length);
  } else {
    body_.set_until_close();
  }
  return nullptr;
}

tl::unexpected<Error> ResponseParser::refuse(const Rejection& rejection) {
  rejection_ = &rejection;
  return fail(ErrorKind::protocol, ErrorSource::upstream, fmt::format("not a valid HTTP answer: {}", rejection.text));
}

}  // namespace sluice::http
