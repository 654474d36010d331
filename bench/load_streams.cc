#include <memory>

#include "load.h"

namespace sluice::bench {
namespace {

/// `total` streams, `streams` at a time, each slot on its own connection and begun at its own moment of the interval.
class StreamsRun {
 public:
  explicit StreamsRun(const Options& options)
      : port_(options.port()),
        streams_(options.get("streams", 50)),
        total_(options.get("total", 250)),
        spec_{.chunks = options.get("chunks", 200), .interval_us = options.get("interval-us", 5000)} {}

  int run();

 private:
  void start(StreamClient& client) {
    spec_.seed = ++started_;
    client.start(port_, spec_);
  }
  void ended(StreamClient& client, bool intact);

  Loop loop_;
  std::uint16_t port_;
  std::int64_t streams_;
  std::int64_t total_;
  StreamSpec spec_;
  std::vector<std::shared_ptr<StreamClient>> clients_;
  std::int64_t started_ = 0;
  std::int64_t ended_ = 0;
  std::int64_t broken_ = 0;
};

void StreamsRun::ended(StreamClient& client, bool intact) {
  broken_ += intact ? 0 : 1;
  if (++ended_ == total_) return loop_.stop();
  if (started_ < total_) start(client);
}

int StreamsRun::run() {
  const Nanos began = now();
  for (std::int64_t i = 0; i < std::min(streams_, total_); ++i) {
    auto client = std::make_shared<StreamClient>(loop_, [this](StreamClient& it, bool intact) { ended(it, intact); });
    clients_.push_back(client);
    loop_.at(began + spec_.interval_us * 1000 * i / streams_, [this, client] { start(*client); });
  }
  loop_.run();
  report({{"streams", static_cast<double>(ended_)},
          {"chunks", static_cast<double>(ended_ * spec_.chunks)},
          {"errors", static_cast<double>(broken_)},
          {"seconds", static_cast<double>(now() - began) / 1e9}});
  return 0;
}

/// Streams that say one thing and then nothing.
class HoldRun {
 public:
  explicit HoldRun(const Options& options) : port_(options.port()), streams_(options.get("streams", 9000)) {}

  int run();

 private:
  static constexpr std::int64_t at_once = 256;
  void open_one();
  void answered();
  void lost();

  Loop loop_;
  std::uint16_t port_;
  std::int64_t streams_;
  std::int64_t opened_ = 0;
  std::int64_t held_ = 0;
  std::int64_t lost_ = 0;
};

void HoldRun::open_one() {
  if (opened_ == streams_) return;
  const auto client = std::make_shared<StreamClient>(
      loop_, [this](StreamClient&, bool) { lost(); }, [this] { answered(); });
  client->start(port_, {.seed = ++opened_, .chunks = 1, .interval_us = 1, .hold = true});
}

void HoldRun::answered() {
  ++held_;
  if (held_ + lost_ == streams_) report_ready();
  open_one();
}

void HoldRun::lost() {
  ++lost_;
  if (held_ + lost_ == streams_) report_ready();
  open_one();
}

int HoldRun::run() {
  on_input_end(loop_, [this] { loop_.stop(); });
  for (std::int64_t i = 0; i < at_once; ++i) open_one();
  loop_.run();
  report({{"streams", static_cast<double>(held_)}, {"errors", static_cast<double>(lost_)}});
  return 0;
}

}  // namespace

StreamClient::StreamClient(Loop& loop, Done done, std::function<void()> first)
    : Client(loop), done_(std::move(done)), first_(std::move(first)) {}

void StreamClient::start(std::uint16_t port, const StreamSpec& spec) {
  spec_ = spec;
  checker_ = EventChecker(spec);
  intact_ = true;
  begun_ = false;
  request(port, chat_post(stream_request(spec)));
}

void StreamClient::on_body(std::string_view bytes) {
  const bool comment = spec_.hold && begun_;  // a proxy may send some while the model is silent
  intact_ = intact_ && reader().status() == 200 && (comment || checker_.accept(bytes));
  if (!intact_) explain("wrong stream", std::string(reader().head()).append(bytes));
  if (!std::exchange(begun_, true) && first_) first_();
}

void StreamClient::on_failed() {
  explain("stream ended early", reader().head());
  done_(*this, false);
}

void StreamClient::on_end() { done_(*this, intact_ && checker_.complete()); }

int run_streams(const Options& options) { return StreamsRun(options).run(); }
int run_hold(const Options& options) { return HoldRun(options).run(); }

}  // namespace sluice::bench
