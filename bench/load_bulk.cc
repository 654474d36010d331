#include <algorithm>
#include <memory>

#include "load.h"

namespace sluice::bench {
namespace {

constexpr std::uint64_t piece_bytes = 256 * 1024;

void report_bulk(std::uint64_t bytes, bool intact, Nanos began) {
  report({{"bytes", static_cast<double>(bytes)},
          {"errors", intact ? 0.0 : 1.0},
          {"seconds", static_cast<double>(now() - began) / 1e9}});
}

class Upload final : public Client {
 public:
  Upload(Loop& loop, const Options& options)
      : Client(loop), port_(options.port()), size_(options.get("bytes", 1)), rate_(options.get("rate", 0)) {}

  void start() {
    std::string head = "POST /v1/files?rate=" + std::to_string(rate_) + " HTTP/1.1\r\nhost: bench.example.com\r\n";
    head += "content-type: application/octet-stream\r\ncontent-length: " + std::to_string(size_) + "\r\n\r\n";
    request(port_, head);
  }
  bool intact() const { return intact_; }

 private:
  void on_drained() override {
    while (is_open() && at_ < size_ && unsent() == 0) {
      const auto piece = bulk(at_, std::min(size_ - at_, piece_bytes));
      at_ += piece.size();
      send(piece);
    }
  }
  void on_body(std::string_view bytes) override { answer_.append(bytes); }
  void on_end() override {
    intact_ = reader().status() == 200 && answer_ == "{\"bytes\":" + std::to_string(size_) + ",\"intact\":1}";
    loop().stop();
  }
  void on_failed() override { loop().stop(); }

  std::uint16_t port_;
  std::uint64_t size_;
  std::int64_t rate_;
  std::uint64_t at_ = 0;
  std::string answer_;
  bool intact_ = false;
};

class Download final : public Client {
 public:
  Download(Loop& loop, const Options& options)
      : Client(loop), port_(options.port()), size_(options.get("bytes", 1)), rate_(options.get("rate", 0)) {}

  void start() {
    began_ = now();
    request(port_,
            "GET /v1/files/x/content?bytes=" + std::to_string(size_) + " HTTP/1.1\r\nhost: bench.example.com\r\n\r\n");
  }
  bool intact() const { return complete_ && intact_ && at_ == size_; }

 private:
  void on_body(std::string_view bytes) override {
    intact_ = intact_ && reader().status() == 200 && is_bulk(at_, bytes);
    at_ += bytes.size();
    if (rate_ > 0) throttle();
  }
  void throttle() {
    const Nanos due = began_ + static_cast<Nanos>(static_cast<double>(at_) / static_cast<double>(rate_) * 1e9);
    if (due <= now() + millisecond) return;
    pause();
    loop().at(due, [self = shared_from_this(), this] { resume(); });
  }
  void on_end() override {
    complete_ = true;
    loop().stop();
  }
  void on_failed() override { loop().stop(); }

  std::uint16_t port_;
  std::uint64_t size_;
  std::int64_t rate_;
  Nanos began_ = 0;
  std::uint64_t at_ = 0;
  bool intact_ = true;
  bool complete_ = false;
};

template <class Transfer>
int run_bulk(const Options& options) {
  bulk(0, 1);
  Loop loop;
  const auto transfer = std::make_shared<Transfer>(loop, options);
  const Nanos began = now();
  transfer->start();
  loop.run();
  report_bulk(options.get("bytes", 1), transfer->intact(), began);
  return 0;
}

}  // namespace

int run_upload(const Options& options) { return run_bulk<Upload>(options); }
int run_download(const Options& options) { return run_bulk<Download>(options); }

}  // namespace sluice::bench
