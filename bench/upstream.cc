// The model server of the benchmarks: fixed answers, as cheap as they can be, on one thread.
//   upstream PORT
//   POST /v1/chat/completions            1 KB whole, or an SSE stream as the request's bench_* fields say (content.h)
//   POST /v1/files?rate=R                takes any body at R bytes a second (0: at once), answers its size and whether
//   it was bulk() GET  /v1/files/x/content?bytes=N     N bytes of bulk() GET  /v1/realtime                    WebSocket
//   that echoes
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>

#include "connection.h"
#include "content.h"
#include "message.h"
#include "websocket.h"

namespace sluice::bench {
namespace {

constexpr std::size_t write_ahead = 256 * 1024;  // bytes

std::string head(std::string_view type, std::string_view framing) {
  return std::string("HTTP/1.1 200 OK\r\ncontent-type: ")
      .append(type)
      .append("\r\n")
      .append(framing)
      .append("\r\n\r\n");
}

class Session final : public Connection {
 public:
  using Connection::Connection;

 private:
  void on_bytes(std::string_view input) override;
  void on_head();
  void on_body(std::string_view bytes);
  void on_end();
  void on_drained() override;

  void answer(std::string_view body);
  void begin_stream();
  void send_event();
  void pump_stream();
  void pace_stream(Nanos due);
  void pump_download();
  void throttle();
  void upgrade();
  void echo(std::string_view bytes);

  MessageReader reader_;
  std::string body_;
  std::uint64_t received_ = 0;
  bool intact_ = true;
  bool sink_ = false;      ///< count the body, do not keep it
  std::int64_t rate_ = 0;  ///< bytes a second of the sink
  Nanos began_ = 0;
  bool upgraded_ = false;
  FrameReader frames_;
  StreamSpec spec_;
  std::unique_ptr<EventSequence> stream_;
  std::uint64_t download_at_ = 0;
  std::uint64_t download_size_ = 0;
};

void Session::on_bytes(std::string_view input) {
  std::string_view piece;
  while (is_open() && !upgraded_) {
    switch (reader_.next(input, piece)) {
      case MessageReader::Piece::more:
        return;
      case MessageReader::Piece::head:
        on_head();
        break;
      case MessageReader::Piece::body:
        on_body(piece);
        break;
      case MessageReader::Piece::end:
        on_end();
        break;
      case MessageReader::Piece::broken:
        return close();
    }
  }
  if (upgraded_ && !input.empty()) echo(input);
}

void Session::on_head() {
  body_.clear();
  received_ = 0;
  intact_ = true;
  began_ = now();
  const auto line = reader_.head().substr(0, reader_.head().find('\r'));
  sink_ = line.starts_with("POST /v1/files");
  rate_ = number_in(line, "rate", 0);
  if (sink_ && reader_.field("expect") == "100-continue") send("HTTP/1.1 100 Continue\r\n\r\n");
}

void Session::on_body(std::string_view bytes) {
  if (!sink_) {
    body_.append(bytes);
    return;
  }
  intact_ = intact_ && is_bulk(received_, bytes);
  received_ += bytes.size();
  if (rate_ > 0) throttle();
}

void Session::throttle() {
  const Nanos due = began_ + static_cast<Nanos>(static_cast<double>(received_) / static_cast<double>(rate_) * 1e9);
  if (due <= now() + millisecond) return;
  pause();
  loop().at(due, [self = shared_from_this(), this] { resume(); });
}

void Session::on_end() {
  const auto line = reader_.head().substr(0, reader_.head().find('\r'));
  if (sink_) {
    answer("{\"bytes\":" + std::to_string(received_) + ",\"intact\":" + (intact_ ? "1" : "0") + "}");
  } else if (line.starts_with("GET /v1/realtime")) {
    upgrade();
  } else if (line.starts_with("GET /v1/files/")) {
    download_at_ = 0;
    download_size_ = number_in(line, "bytes", 0);
    send(head("application/octet-stream", "content-length: " + std::to_string(download_size_)));
    pump_download();
  } else if (body_.find("\"stream\":true") != std::string::npos) {
    begin_stream();
  } else {
    answer(line.starts_with("GET /v1/models") ? R"({"object":"list","data":[{"id":"mock","object":"model"}]})"
                                              : chat_answer());
  }
}

void Session::answer(std::string_view body) {
  auto text = head("application/json", "content-length: " + std::to_string(body.size()));
  send(text.append(body));
}

void Session::begin_stream() {
  spec_ = stream_spec(body_);
  stream_ = std::make_unique<EventSequence>(spec_);
  send(head("text/event-stream", "transfer-encoding: chunked\r\ncache-control: no-cache"));
  if (spec_.interval_us == 0) {
    pump_stream();
  } else {
    pace_stream(now());
  }
}

void Session::send_event() {
  std::string out;
  append_chunk(out, stream_->next());
  if (stream_->at_end() && !spec_.hold) {
    append_chunk(out, {});
    stream_.reset();
  }
  send(out);
}

void Session::pump_stream() {
  while (is_open() && stream_ && !stream_->at_end() && unsent() < write_ahead) send_event();
}

void Session::pace_stream(Nanos due) {
  if (!is_open() || !stream_ || stream_->at_end()) return;
  send_event();
  if (!stream_) return;  // the next request may come before a timer that nobody waits for
  due += spec_.interval_us * 1000;
  loop().at(due, [weak = weak_from_this(), this, due] {
    const auto self = weak.lock();
    if (self) pace_stream(due);
  });
}

void Session::pump_download() {
  while (is_open() && download_at_ < download_size_ && unsent() == 0) {
    const auto piece = bulk(download_at_, std::min<std::uint64_t>(download_size_ - download_at_, write_ahead));
    download_at_ += piece.size();
    send(piece);
  }
}

void Session::on_drained() {
  if (download_at_ < download_size_) pump_download();
  if (stream_ && spec_.interval_us == 0) pump_stream();
}

void Session::upgrade() {
  upgraded_ = true;
  send(std::string(
           "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ")
           .append(websocket_accept)
           .append("\r\n\r\n"));
}

void Session::echo(std::string_view bytes) {
  frames_.feed(bytes);
  unsigned char type = 0;
  std::string payload;
  while (is_open() && frames_.next(type, payload)) {
    send(websocket_frame(payload, false, type));
    if (type == close_frame) close();
  }
}

class Acceptor final : public Watcher {
 public:
  Acceptor(Loop& loop, int fd) : loop_(loop), fd_(fd) {}

  void on_ready(std::uint32_t) override {
    int fd = 0;
    while ((fd = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
      std::make_shared<Session>(loop_)->adopt(fd);
  }

 private:
  Loop& loop_;
  int fd_;
};

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  using namespace sluice::bench;
  if (argc != 2) return 2;
  raise_descriptor_limit();
  bulk(0, 1);  // made now, not in the first transfer
  Loop loop;
  const int fd = listen_on(static_cast<std::uint16_t>(std::atoi(argv[1])));
  loop.watch(fd, std::make_shared<Acceptor>(loop, fd));
  on_input_end(loop, [&loop] { loop.stop(); });
  loop.run();
  return 0;
}
