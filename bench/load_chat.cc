#include <memory>

#include "load.h"

namespace sluice::bench {
namespace {

class ChatRun;

class ChatClient final : public Client {
 public:
  ChatClient(Loop& loop, ChatRun& run) : Client(loop), run_(run) {}
  /// `since` is when the latency begins: the planned moment, so that a late send counts.
  void ask(std::uint16_t port, std::string_view text, Nanos since);

 private:
  void on_body(std::string_view bytes) override { body_.append(bytes); }
  void on_end() override;
  void on_failed() override;

  ChatRun& run_;
  std::string body_;
  Nanos since_ = 0;
};

/// Closed loop: N requests over C connections. Open loop: R a second by the clock, on as many connections as that
/// takes.
class ChatRun {
 public:
  explicit ChatRun(const Options& options)
      : port_(options.port()),
        rate_(options.get("rate", 0)),
        total_(rate_ > 0 ? rate_ * options.get("seconds", 10) : options.get("requests", 10'000)),
        connections_(options.get("connections", 32)) {}

  int run();
  void finished(ChatClient& client, bool right, Nanos latency);

 private:
  void pace(Nanos due);
  std::shared_ptr<ChatClient> idle_client();

  Loop loop_;
  std::uint16_t port_;
  std::int64_t rate_;
  std::int64_t total_;
  std::int64_t connections_;
  std::string request_ = chat_post(chat_request());
  std::vector<std::shared_ptr<ChatClient>> clients_;
  std::vector<ChatClient*> idle_;
  std::int64_t asked_ = 0;
  std::int64_t ended_ = 0;
  std::int64_t errors_ = 0;
  Latencies latencies_;
};

void ChatClient::ask(std::uint16_t port, std::string_view text, Nanos since) {
  body_.clear();
  since_ = since;
  request(port, text);
}

void ChatClient::on_end() {
  const bool right = reader().status() == 200 && body_ == chat_answer();
  if (!right) explain("wrong answer", std::string(reader().head()) + body_);
  run_.finished(*this, right, now() - since_);
}

void ChatClient::on_failed() {
  explain("connection ended", reader().head());
  run_.finished(*this, false, now() - since_);
}

void ChatRun::finished(ChatClient& client, bool right, Nanos latency) {
  latencies_.add(latency);
  errors_ += right ? 0 : 1;
  if (++ended_ == total_) return loop_.stop();
  if (rate_ > 0) {
    idle_.push_back(&client);
  } else if (asked_ < total_) {
    ++asked_;
    client.ask(port_, request_, now());
  }
}

std::shared_ptr<ChatClient> ChatRun::idle_client() {
  if (idle_.empty()) return clients_.emplace_back(std::make_shared<ChatClient>(loop_, *this));
  auto client = std::static_pointer_cast<ChatClient>(idle_.back()->shared_from_this());
  idle_.pop_back();
  return client;
}

void ChatRun::pace(Nanos due) {
  if (asked_++ == total_) return;
  idle_client()->ask(port_, request_, due);
  due += second / rate_;
  loop_.at(due, [this, due] { pace(due); });
}

int ChatRun::run() {
  const Nanos began = now();
  if (rate_ > 0) {
    pace(began);
  } else {
    asked_ = std::min(connections_, total_);
    for (std::int64_t i = 0; i < asked_; ++i) idle_client()->ask(port_, request_, now());
  }
  loop_.run();
  const double seconds = static_cast<double>(now() - began) / 1e9;
  report({{"requests", static_cast<double>(ended_)},
          {"errors", static_cast<double>(errors_)},
          {"seconds", seconds},
          {"per_second", static_cast<double>(ended_) / seconds},
          {"p50_us", latencies_.percentile(0.5)},
          {"p90_us", latencies_.percentile(0.9)},
          {"p99_us", latencies_.percentile(0.99)}});
  return 0;
}

}  // namespace

int run_chat(const Options& options) { return ChatRun(options).run(); }

}  // namespace sluice::bench
