#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "pipeline/exchange.h"

namespace sluice {

/// One exchange under way, as the operator sees it.
struct LiveView {
  std::string id;  ///< "worker-number", unique in this process: what DELETE takes
  std::string request_id;
  std::string client;
  std::string method;
  std::string path;
  std::string route;
  std::string provider;
  std::string model;
  bool stream = false;
  double age_seconds = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t tokens = 0;
};

/// The exchanges under way on one worker. Not thread-safe: others ask by posting to the worker.
class LiveExchanges {
 public:
  /// Called with every record, exactly once, when its exchange is over.
  using Settle = std::function<void(const ExchangeRecord&)>;
  LiveExchanges(std::size_t worker, Settle settle);

  /// One exchange from its first byte to its settlement, which is this object's destruction, whatever the reason:
  /// finished, failed, dropped because the client left.
  class Entry {
   public:
    explicit Entry(LiveExchanges& live);
    ~Entry();
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    Exchange exchange;
    /// The answer's last byte was taken. Without it the client is counted as gone.
    void finish() { finished_ = true; }

   private:
    friend class LiveExchanges;
    LiveExchanges& live_;
    std::uint64_t number_;
    bool finished_ = false;
  };

  std::vector<LiveView> views() const;
  /// Ends one exchange, or all of them; false if there is none of that id.
  bool cancel(const std::string& id, ErrorKind why, const std::string& text);
  void cancel_all(ErrorKind why, const std::string& text);
  std::size_t size() const { return entries_.size(); }

 private:
  std::string id_of(std::uint64_t number) const;

  std::size_t worker_;
  Settle settle_;
  std::uint64_t next_number_ = 1;
  std::map<std::uint64_t, Entry*> entries_;  ///< by number, that is, by age
};

}  // namespace sluice
