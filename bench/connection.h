#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "loop.h"

namespace sluice::bench {

/// A TCP connection on a loop. Owned by the loop while it is open; others hold it by shared or weak pointer.
class Connection : public Watcher, public std::enable_shared_from_this<Connection> {
 public:
  explicit Connection(Loop& loop) : loop_(loop) {}
  ~Connection() override;

  /// Takes over an accepted descriptor.
  void adopt(int fd);
  /// Begins to connect to 127.0.0.1:port; `source` 0 or the last byte of the loopback address to come from.
  void connect(std::uint16_t port, int source = 0);

  /// Writes what fits now; the rest goes out as the peer takes it, then on_drained() is called.
  void send(std::string_view bytes);
  std::size_t unsent() const { return unsent_.size() - sent_; }
  /// At once and without on_closed().
  void close();
  bool is_open() const { return fd_ >= 0; }

  /// Stops and goes on reading: a slow peer.
  void pause() { paused_ = true; }
  void resume();

 protected:
  virtual void on_connected() {}
  virtual void on_bytes(std::string_view bytes) = 0;
  virtual void on_drained() {}
  /// The peer closed, or the connection failed; it is closed already.
  virtual void on_closed() {}

  Loop& loop() { return loop_; }

 private:
  void on_ready(std::uint32_t events) override;
  void read_all();
  void flush();
  void fail();

  Loop& loop_;
  int fd_ = -1;
  bool connecting_ = false;
  bool paused_ = false;
  std::string unsent_;
  std::size_t sent_ = 0;  ///< bytes of unsent_ that are gone
};

/// A listening socket on 127.0.0.1:port.
int listen_on(std::uint16_t port);

}  // namespace sluice::bench
