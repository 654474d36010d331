#include "http/writer.h"

#include <fmt/format.h>

#include <charconv>
#include <ctime>

#include "http/chars.h"
#include "http/message.h"
#include "http/url.h"

namespace sluice::http {
namespace {

/// Bytes reserved for a head at once: more than most need.
constexpr std::size_t usual_head = 1024;

/// Written by the framing given, never taken over.
bool is_framing(std::string_view name) {
  switch (name.size()) {
    case 7:
      return same_name(name, "upgrade");
    case 10:
      return same_name(name, "connection") || same_name(name, "keep-alive");
    case 14:
      return same_name(name, "content-length");
    case 16:
      return same_name(name, "proxy-connection");
    case 17:
      return same_name(name, "transfer-encoding");
    default:
      return false;
  }
}

void append_line(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

bool can_send(const Field& field) { return is_token(field.name) && is_field_value(field.value); }

void append_length(std::string& out, std::uint64_t length) {
  out.append("content-length: ");
  append_number(out, length);
  out.append("\r\n");
}

void append_status_line(std::string& out, int status) {
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::uint64_t>(status));
  out.append(" ").append(reason_phrase(status)).append("\r\n");
}

/// The fields of an answer but for framing; adds a date.
void append_response_fields(std::string& out, const Fields& fields) {
  bool dated = false;
  for (const Field& field : fields) {
    if (is_framing(field.name) || !can_send(field)) continue;
    dated |= same_name(field.name, "date");
    append_line(out, field.name, field.value);
  }
  if (!dated) append_line(out, "date", http_date());
}

void append_response_framing(std::string& out, int status, const ResponseFraming& framing) {
  if (status < 200 || status == 204) return;
  if (framing.length) {
    // A zero on a 304 would be said of the document that the client holds.
    if (status != 304 || *framing.length > 0) append_length(out, *framing.length);
  } else if (framing.chunked) {
    out.append("transfer-encoding: chunked\r\n");
  }
}

}  // namespace

void write_response_head(std::string& out, int status, const Fields& fields, const ResponseFraming& framing) {
  out.reserve(out.size() + usual_head);
  append_status_line(out, status);
  append_response_fields(out, fields);
  append_response_framing(out, status, framing);
  if (!framing.keep_alive) {
    out.append("connection: close\r\n");
  } else if (framing.old_client) {
    out.append("connection: keep-alive\r\n");
  }
  out.append("\r\n");
}

void write_upgrade_head(std::string& out, const Fields& fields) {
  append_status_line(out, 101);
  append_response_fields(out, fields);
  const std::string_view protocol = fields.get("upgrade");
  if (is_field_value(protocol) && !protocol.empty()) append_line(out, "upgrade", protocol);
  out.append("connection: upgrade\r\n\r\n");
}

bool write_request_head(std::string& out, std::string_view method, std::string_view target, std::string_view host,
                        const Fields& fields, const RequestFraming& framing) {
  if (!is_token(method) || !is_target(target) || !is_authority(host)) return false;
  if (!framing.upgrade.empty() && !is_field_value(framing.upgrade)) return false;
  out.reserve(out.size() + usual_head);
  out.append(method).append(" ").append(target).append(" HTTP/1.1\r\n");
  append_line(out, "host", host);
  for (const Field& field : fields) {
    if (is_framing(field.name) || same_name(field.name, "host") || !can_send(field)) continue;
    append_line(out, field.name, field.value);
  }
  if (framing.length) {
    append_length(out, *framing.length);
  } else if (framing.chunked) {
    out.append("transfer-encoding: chunked\r\n");
  }
  if (!framing.upgrade.empty()) {
    append_line(out, "connection", "upgrade");
    append_line(out, "upgrade", framing.upgrade);
  } else if (framing.close) {
    append_line(out, "connection", "close");
  }
  out.append("\r\n");
  return true;
}

ChunkHead::ChunkHead(std::size_t size) : begin_(text_.size() - 2) {
  text_[begin_] = '\r';
  text_[begin_ + 1] = '\n';
  do {
    text_[--begin_] = "0123456789abcdef"[size & 0xf];
    size >>= 4;
  } while (size > 0);
}

void write_last_chunk(std::string& out, const Fields* trailers) {
  out.append("0\r\n");
  if (trailers) {
    for (const Field& field : *trailers) {
      if (!is_framing(field.name) && can_send(field)) append_line(out, field.name, field.value);
    }
  }
  out.append("\r\n");
}

std::string_view http_date() {
  thread_local std::time_t made = 0;
  thread_local std::array<char, 32> text;
  thread_local std::size_t size = 0;
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  if (now.tv_sec != made || size == 0) {
    made = now.tv_sec;
    std::tm parts{};
    ::gmtime_r(&made, &parts);
    // The process never leaves the "C" locale, so the names are English.
    size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  }
  return {text.data(), size};
}

}  // namespace sluice::http
