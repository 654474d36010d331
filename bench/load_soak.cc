#include <deque>
#include <memory>

#include "load.h"
#include "websocket.h"

namespace sluice::bench {
namespace {

struct SoakTally {
  bool finishing = false;
  std::int64_t live = 0;
  std::int64_t streams = 0;   ///< complete, every byte right
  std::int64_t messages = 0;  ///< echoed, every byte right
  std::int64_t broken_streams = 0;
  std::int64_t broken_sockets = 0;
};

/// Sends messages of known bytes and compares their echo. Lives until the soak finishes.
class Socket final : public Client {
 public:
  Socket(Loop& loop, SoakTally& tally, std::int64_t index, Nanos interval)
      : Client(loop), tally_(tally), sent_(static_cast<std::uint64_t>(index) * 1'000'003), interval_(interval) {}

  void start(std::uint16_t port) {
    request(port,
            std::string("GET /v1/realtime?model=default HTTP/1.1\r\nhost: bench.example.com\r\nconnection: Upgrade\r\n"
                        "upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ")
                .append(websocket_key)
                .append("\r\n\r\n"));
  }

 private:
  void on_head() override {
    if (reader().is_upgrade()) return speak();
    end(false);
  }
  void speak() {
    if (!is_open()) return;
    if (tally_.finishing) return send(websocket_frame({}, true, close_frame));
    expected_.emplace_back(bulk(sent_, 64 + sent_ % 1200));
    sent_ += expected_.back().size();
    send(websocket_frame(expected_.back(), true));
    loop().after(interval_, [self = shared_from_this(), this] { speak(); });
  }
  void on_upgraded_bytes(std::string_view bytes) override {
    frames_.feed(bytes);
    unsigned char type = 0;
    std::string payload;
    while (is_open() && frames_.next(type, payload)) {
      if (type == close_frame) return end(expected_.empty());
      if (expected_.empty() || payload != expected_.front()) return end(false);
      expected_.pop_front();
      ++tally_.messages;
    }
  }
  void on_end() override { end(false); }
  void on_failed() override { end(false); }
  void end(bool well) {
    if (ended_) return;
    ended_ = true;
    close();
    tally_.broken_sockets += well ? 0 : 1;
    if (--tally_.live == 0) loop().stop();
  }

  SoakTally& tally_;
  std::uint64_t sent_;
  Nanos interval_;
  std::deque<std::string> expected_;
  FrameReader frames_;
  bool ended_ = false;
};

/// Streams of differing lengths, one after the other in each slot, so that some begin in every moment of the soak.
class SoakRun {
 public:
  explicit SoakRun(const Options& options)
      : port_(options.port()),
        streams_(options.get("streams", 2000)),
        sockets_(options.get("sockets", 200)),
        chunks_(options.get("chunks", 100)),
        interval_us_(options.get("interval-us", 250'000)) {}

  int run();

 private:
  void start(StreamClient& client);
  void ended(StreamClient& client, bool intact);
  void open_streams(Nanos began);
  void open_sockets(Nanos began);

  Loop loop_;
  SoakTally tally_;
  std::uint16_t port_;
  std::int64_t streams_;
  std::int64_t sockets_;
  std::int64_t chunks_;
  std::int64_t interval_us_;
  std::int64_t started_ = 0;
};

void SoakRun::start(StreamClient& client) {
  const auto seed = ++started_;
  const auto length = chunks_ / 4 + seed * 7919 % (chunks_ * 3 / 2 + 1);
  client.start(port_,
               {.seed = seed, .chunks = std::max<std::int64_t>(length, 1), .interval_us = interval_us_, .usage = true});
}

void SoakRun::ended(StreamClient& client, bool intact) {
  ++(intact ? tally_.streams : tally_.broken_streams);
  if (!tally_.finishing) {
    if (started_ % 2 == 0) client.close();  // the next on a new connection
    const auto again = std::static_pointer_cast<StreamClient>(client.shared_from_this());
    return loop_.after(intact ? 0 : second / 2, [this, again] { start(*again); });
  }
  client.close();
  if (--tally_.live == 0) loop_.stop();
}

void SoakRun::open_streams(Nanos began) {
  for (std::int64_t i = 0; i < streams_; ++i) {
    auto client = std::make_shared<StreamClient>(loop_, [this](StreamClient& it, bool intact) { ended(it, intact); });
    loop_.at(began + i * millisecond, [this, client] { start(*client); });
  }
}

void SoakRun::open_sockets(Nanos began) {
  for (std::int64_t i = 0; i < sockets_; ++i) {
    const auto socket = std::make_shared<Socket>(loop_, tally_, i, 200 * millisecond);
    loop_.at(began + i * millisecond, [this, socket] { socket->start(port_); });
  }
}

int SoakRun::run() {
  bulk(0, 1);
  tally_.live = streams_ + sockets_;
  const Nanos began = now();
  open_streams(began);
  open_sockets(began);
  loop_.at(began + std::max(streams_, sockets_) * millisecond + second / 2, report_ready);
  on_input_end(loop_, [this] { tally_.finishing = true; });
  loop_.run();
  report({{"streams", static_cast<double>(tally_.streams)},
          {"messages", static_cast<double>(tally_.messages)},
          {"broken_streams", static_cast<double>(tally_.broken_streams)},
          {"broken_sockets", static_cast<double>(tally_.broken_sockets)}});
  return 0;
}

}  // namespace

int run_soak(const Options& options) { return SoakRun(options).run(); }

}  // namespace sluice::bench
