#include <memory>

#include "load.h"

namespace sluice::bench {
namespace {

constexpr Nanos drip = 2 * second;  // one byte in so long a time

struct Tally {
  std::int64_t open = 0;
  std::int64_t cut = 0;      ///< ended by the server
  std::int64_t refused = 0;  ///< ended before a byte could be sent
};

/// Holds a connection by never ending its request's header, or its body. Begins again when it is thrown out.
class Attacker final : public Connection {
 public:
  Attacker(Loop& loop, Tally& tally, std::uint16_t port, std::int64_t index)
      : Connection(loop), tally_(tally), port_(port), index_(index) {}

  void start() { connect(port_, static_cast<int>(2 + index_ % 250)); }

 private:
  void on_connected() override {
    ++tally_.open;
    begun_ = true;
    const bool slow_body = index_ % 2 == 0;
    send("POST /v1/chat/completions HTTP/1.1\r\nhost: bench.example.com\r\ncontent-type: application/json\r\n");
    send(slow_body
             ? "content-length: 2000\r\n\r\n{\"model\":\"default\",\"messages\":[{\"role\":\"user\",\"content\":\""
             : "x-slow: ");
    drip_later();
  }
  void drip_later() {
    loop().after(drip, [self = shared_from_this(), this, life = lives_] {
      if (!is_open() || life != lives_) return;
      send("a");
      drip_later();
    });
  }
  void on_bytes(std::string_view) override {}
  void on_closed() override {
    ++lives_;
    tally_.open -= begun_ ? 1 : 0;
    ++(begun_ ? tally_.cut : tally_.refused);
    begun_ = false;
    loop().after(second / 2, [self = shared_from_this(), this] { start(); });
  }

  Tally& tally_;
  std::uint16_t port_;
  std::int64_t index_;
  bool begun_ = false;
  int lives_ = 0;
};

}  // namespace

int run_attack(const Options& options) {
  Loop loop;
  Tally tally;
  const auto connections = options.get("connections", 10'000);
  const auto per_second = options.get("opened-per-second", 2000);
  const Nanos began = now();
  for (std::int64_t i = 0; i < connections; ++i) {
    const auto attacker = std::make_shared<Attacker>(loop, tally, options.port(), i);
    loop.at(began + i * second / per_second, [attacker] { attacker->start(); });
  }
  loop.at(began + connections * second / per_second + second / 4, report_ready);
  on_input_end(loop, [&loop] { loop.stop(); });
  loop.run();
  report({{"held", static_cast<double>(tally.open)},
          {"cut", static_cast<double>(tally.cut)},
          {"refused", static_cast<double>(tally.refused)}});
  return 0;
}

}  // namespace sluice::bench
