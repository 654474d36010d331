#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connection.h"
#include "content.h"
#include "message.h"

namespace sluice::bench {

/// `--name number` pairs of the command line.
class Options {
 public:
  Options(int argc, char** argv);
  std::int64_t get(const std::string& name, std::int64_t otherwise) const;
  std::uint16_t port() const { return static_cast<std::uint16_t>(get("port", 0)); }

 private:
  std::map<std::string, std::int64_t> values_;
};

/// Prints one line of JSON: what the driver reads.
void report(std::initializer_list<std::pair<std::string_view, double>> figures);
/// Says on standard error what went wrong, the first time.
void explain(std::string_view what, std::string_view detail);
/// Prints READY: what was to be opened is open.
void report_ready();

/// Latencies, all of them kept: exact percentiles.
class Latencies {
 public:
  void add(Nanos value) { values_.push_back(value); }
  /// Microseconds; `share` from 0 to 1.
  double percentile(double share);

 private:
  std::vector<Nanos> values_;
};

/// An HTTP connection with one request at a time.
class Client : public Connection {
 public:
  using Connection::Connection;
  /// Connects first if need be.
  void request(std::uint16_t port, std::string_view text);
  bool busy() const { return busy_; }

 protected:
  virtual void on_head() {}
  virtual void on_body(std::string_view) {}
  virtual void on_end() = 0;
  /// The connection ended with the answer incomplete, or what came is no HTTP.
  virtual void on_failed() = 0;
  /// After a 101.
  virtual void on_upgraded_bytes(std::string_view) {}

  const MessageReader& reader() const { return reader_; }

 private:
  void on_bytes(std::string_view input) override;
  void on_closed() override;

  MessageReader reader_;
  bool busy_ = false;
  bool upgraded_ = false;
};

std::string post(std::string_view target, std::string_view type, std::string_view body);
std::string chat_post(std::string_view body);

/// One stream after the other on one connection, every byte compared.
class StreamClient : public Client {
 public:
  using Done = std::function<void(StreamClient&, bool intact)>;
  /// `first` is called when a first piece of the answer has come.
  StreamClient(Loop& loop, Done done, std::function<void()> first = {});
  void start(std::uint16_t port, const StreamSpec& spec);

 private:
  void on_body(std::string_view bytes) override;
  void on_end() override;
  void on_failed() override;

  Done done_;
  std::function<void()> first_;
  StreamSpec spec_;
  EventChecker checker_{StreamSpec{}};
  bool intact_ = true;
  bool begun_ = false;
};

// What `load` can do; each prints its figures and gives the exit status.
int run_chat(const Options& options);
int run_streams(const Options& options);
int run_hold(const Options& options);
int run_upload(const Options& options);
int run_download(const Options& options);
int run_attack(const Options& options);
int run_soak(const Options& options);
int run_start(const Options& options, char** command);

}  // namespace sluice::bench
