#include "http/tunnel.h"

#include "base/block_pool.h"
#include "http/websocket_frames.h"
#include "net/running.h"
#include "net/stream.h"

namespace sluice::http {
namespace {

class Tunnel {
 public:
  Tunnel(net::Stream& client, net::Stream& upstream, Duration idle)
      : client_(client), upstream_(upstream), idle_(idle) {}

  /// What the client sends, to its end.
  Task<void> up(std::string_view early, std::uint64_t& moved) {
    bool open = true;
    if (!early.empty()) {
      open = (co_await upstream_.write(early)).has_value();
      moved += early.size();
    }
    while (open) open = co_await pass(client_, upstream_, nullptr, moved);
  }
  /// What the upstream sends, to its end. A connection that we end ourselves ends in the client's protocol.
  Task<void> down(std::string_view early, std::uint64_t& moved) {
    WebSocketFrames frames;
    frames.feed(early);
    bool open = true;
    while (open) open = co_await pass(upstream_, client_, &frames, moved);
    if (ended_by_us_ && frames.at_boundary() && !frames.closed()) {
      const Result<void> told = co_await client_.write(WebSocketFrames::going_away);
      if (told) client_.shutdown_send();
    }
    if (broken_) close();
  }

 private:
  /// Passes on what comes next; false at the end. A failure of one direction ends the other too.
  Task<bool> pass(net::Stream& from, net::Stream& to, WebSocketFrames* frames, std::uint64_t& moved) {
    touch();
    const Result<void> ready = co_await from.readable();
    if (!ready) co_return fail(ready.error());
    Block block = Block::acquire();
    const Result<std::size_t> got = co_await from.read(block.span());
    if (!got) co_return fail(got.error());
    if (*got == 0) {
      to.shutdown_send();
      co_return false;
    }
    const std::string_view bytes(block.data(), *got);
    const Result<void> written = co_await to.write(bytes);
    if (!written) co_return fail(written.error());
    if (frames) frames->feed(bytes);
    moved += bytes.size();
    co_return true;
  }

  /// The upstream's stream is only ever closed from outside to end an exchange; then the client is told first.
  bool fail(const Error& error) {
    ended_by_us_ = ended_by_us_ || (error.kind == ErrorKind::cancelled && !broken_ && !upstream_.is_open());
    broken_ = true;
    if (!ended_by_us_) close();
    return false;
  }
  void close() {
    client_.close();
    upstream_.close();
  }

  /// A byte in either direction keeps both alive.
  void touch() {
    const TimePoint deadline = deadline_after(idle_);
    client_.set_read_deadline(deadline);
    upstream_.set_read_deadline(deadline);
  }

  net::Stream& client_;
  net::Stream& upstream_;
  Duration idle_;
  bool broken_ = false;
  bool ended_by_us_ = false;
};

}  // namespace

Task<void> run_tunnel(net::Stream& client, Upgrade& upgrade, std::string_view early, Duration idle) {
  net::Stream& upstream = *upgrade.stream;
  Tunnel tunnel(client, upstream, idle);
  std::uint64_t to_client = upgrade.early.size();
  std::uint64_t to_upstream = 0;
  upstream.set_write_stall(idle);
  net::Running<void> down(tunnel.down(upgrade.early, to_client));
  net::Running<void> up(tunnel.up(early, to_upstream));
  co_await down.finished();
  co_await up.finished();
  if (upgrade.on_end) upgrade.on_end(to_client, to_upstream);
  client.close();
  upstream.close();
}

}  // namespace sluice::http
