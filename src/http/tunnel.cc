#include "http/tunnel.h"

#include "base/block_pool.h"
#include "net/running.h"
#include "net/stream.h"

namespace sluice::http {
namespace {

class Tunnel {
 public:
  Tunnel(net::Stream& client, net::Stream& upstream, Duration idle)
      : client_(client), upstream_(upstream), idle_(idle) {}

  /// One direction, to its end; a failure ends the other direction too.
  Task<void> pump(net::Stream& from, net::Stream& to, std::string_view early, std::uint64_t& moved) {
    bool open = true;
    if (!early.empty()) {
      open = (co_await to.write(early)).has_value();
      moved += early.size();
    }
    while (open) {
      touch();
      open = (co_await from.readable()).has_value();
      if (!open) break;
      Block block = Block::acquire();
      const Result<std::size_t> got = co_await from.read(block.span());
      if (got && *got == 0) co_return to.shutdown_send();
      open = got && (co_await to.write({block.data(), *got})).has_value();
      if (open) moved += *got;
    }
    client_.close();
    upstream_.close();
  }

 private:
  /// A byte in either direction keeps both alive.
  void touch() {
    const TimePoint deadline = deadline_after(idle_);
    client_.set_read_deadline(deadline);
    upstream_.set_read_deadline(deadline);
  }

  net::Stream& client_;
  net::Stream& upstream_;
  Duration idle_;
};

}  // namespace

Task<void> run_tunnel(net::Stream& client, Upgrade& upgrade, std::string_view early, Duration idle) {
  net::Stream& upstream = *upgrade.stream;
  Tunnel tunnel(client, upstream, idle);
  std::uint64_t to_client = upgrade.early.size();
  std::uint64_t to_upstream = 0;
  upstream.set_write_stall(idle);
  net::Running<void> down(tunnel.pump(upstream, client, {}, to_client));
  net::Running<void> up(tunnel.pump(client, upstream, early, to_upstream));
  co_await down.finished();
  co_await up.finished();
  if (upgrade.on_end) upgrade.on_end(to_client, to_upstream);
  client.close();
  upstream.close();
}

}  // namespace sluice::http
