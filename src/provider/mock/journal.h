#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace sluice::mock {

/// What a mock server has seen and done. Thread-safe.
class Journal {
 public:
  static constexpr std::size_t kept_requests = 100;
  static constexpr std::size_t kept_body = 16U << 10;  ///< bytes of each body that are kept as text

  /// Notes a request; its number (from 1) goes with what follows.
  std::uint64_t note(const http::RequestHead& head);
  void note_body(std::uint64_t number, std::string_view body);
  /// A body that was not kept.
  void note_body_size(std::uint64_t number, std::uint64_t bytes);

  /// The newest requests, oldest first, as JSON; credentials only as a hash.
  std::string requests_text() const;
  /// One request, as JSON.
  static std::string echo_text(const http::RequestHead& head, std::string_view body);
  std::string stats_text() const;
  void clear();

  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> cancelled_requests{0};  ///< dropped before their answer's head
  std::atomic<std::uint64_t> streams{0};             ///< answers that were streamed
  std::atomic<std::int64_t> live_streams{0};
  std::atomic<std::uint64_t> finished_streams{0};   ///< read to their end
  std::atomic<std::uint64_t> cancelled_streams{0};  ///< destroyed before their end
  std::atomic<std::uint64_t> broken_streams{0};     ///< ended by a reset or a cut
  std::atomic<std::uint64_t> faults{0};             ///< answers with something wrong on purpose

 private:
  /// Its strings are used again and again: no allocation for a usual request.
  struct Entry {
    std::uint64_t number = 0;
    std::string line;    ///< "POST /v1/..."
    std::string fields;  ///< "name: value\n" each
    std::string body;
    std::uint64_t body_bytes = 0;
  };
  Entry& slot(std::uint64_t number) { return entries_[number % kept_requests]; }
  static void append_entry(std::string& out, const Entry& entry);

  std::atomic<std::uint64_t> number_{0};
  mutable std::mutex mutex_;
  std::vector<Entry> entries_ = std::vector<Entry>(kept_requests);  // guarded by mutex_
};

/// Counts one request that is being worked on as cancelled unless `finish` is called.
class RequestCount {
 public:
  explicit RequestCount(std::shared_ptr<Journal> journal) : journal_(std::move(journal)) {}
  ~RequestCount() {
    if (!finished_) ++journal_->cancelled_requests;
  }
  RequestCount(const RequestCount&) = delete;
  RequestCount& operator=(const RequestCount&) = delete;
  void finish() { finished_ = true; }

 private:
  std::shared_ptr<Journal> journal_;
  bool finished_ = false;
};

/// Counts one streamed answer under exactly one of finished, broken and cancelled.
class StreamCount {
 public:
  explicit StreamCount(std::shared_ptr<Journal> journal);
  ~StreamCount();
  StreamCount(const StreamCount&) = delete;
  StreamCount& operator=(const StreamCount&) = delete;
  void finish() { settle(journal_->finished_streams); }
  void broke() { settle(journal_->broken_streams); }

 private:
  void settle(std::atomic<std::uint64_t>& counter);

  std::shared_ptr<Journal> journal_;
  bool settled_ = false;
};

}  // namespace sluice::mock
