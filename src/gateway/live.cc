#include "gateway/live.h"

#include <fmt/format.h>

namespace sluice {
namespace {

/// What an exchange comes to when nobody said so on the way.
Outcome outcome_of(const ExchangeRecord& record, bool finished, bool cancelled) {
  if (record.outcome != Outcome::ok) return record.outcome;
  if (cancelled) return Outcome::ended;
  if (!finished) return Outcome::client_gone;
  if (record.status >= 500) return Outcome::upstream_error;
  return record.status >= 400 ? Outcome::client_error : Outcome::ok;
}

}  // namespace

LiveExchanges::LiveExchanges(std::size_t worker, Settle settle) : worker_(worker), settle_(std::move(settle)) {}

LiveExchanges::Entry::Entry(LiveExchanges& live) : live_(live), number_(live.next_number_++) {
  live_.entries_.emplace_hint(live_.entries_.end(), number_, this);
}

LiveExchanges::Entry::~Entry() {
  live_.entries_.erase(number_);
  ExchangeRecord& record = exchange.record;
  record.outcome = outcome_of(record, finished_, exchange.cancelled().has_value());
  record.ended = Clock::now();
  live_.settle_(record);
}

std::string LiveExchanges::id_of(std::uint64_t number) const { return fmt::format("{}-{}", worker_, number); }

std::vector<LiveView> LiveExchanges::views() const {
  std::vector<LiveView> views;
  views.reserve(entries_.size());
  const TimePoint now = Clock::now();
  for (const auto& [number, entry] : entries_) {
    const ExchangeRecord& record = entry->exchange.record;
    views.push_back({id_of(number), record.id, record.client, record.method, record.path, record.route, record.provider,
                     record.model, record.stream, seconds(now - record.started), record.bytes_in, record.bytes_out,
                     record.usage.completion});
  }
  return views;
}

bool LiveExchanges::cancel(const std::string& id, ErrorKind why, const std::string& text) {
  for (const auto& [number, entry] : entries_) {
    if (id_of(number) != id) continue;
    entry->exchange.cancel(why, text);
    return true;
  }
  return false;
}

void LiveExchanges::cancel_all(ErrorKind why, const std::string& text) {
  // Ending one may destroy it at once, and others with it: go by numbers, not by pointers.
  std::vector<std::uint64_t> numbers;
  for (const auto& [number, entry] : entries_) numbers.push_back(number);
  for (const std::uint64_t number : numbers) {
    const auto found = entries_.find(number);
    if (found != entries_.end()) found->second->exchange.cancel(why, text);
  }
}

}  // namespace sluice
