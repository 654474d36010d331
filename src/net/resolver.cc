#include "net/resolver.h"

#include <fmt/format.h>
#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/text.h"
#include "net/blocking_pool.h"
#include "net/running.h"

namespace sluice::net {
namespace {

Result<std::vector<Address>> look_up_by_system(const std::string& host) {
  addrinfo wish{};
  wish.ai_socktype = SOCK_STREAM;
  wish.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), nullptr, &wish, &found); error != 0) {
    return fail(ErrorKind::resolve, ErrorSource::upstream,
                error == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(error));
  }
  std::vector<Address> addresses;
  for (const addrinfo* entry = found; entry; entry = entry->ai_next) {
    const std::optional<Address> address = Address::from_system(entry->ai_addr);
    if (address && std::find(addresses.begin(), addresses.end(), *address) == addresses.end()) {
      addresses.push_back(*address);
    }
  }
  ::freeaddrinfo(found);
  return addresses;
}

/// One look-up under way. Guarded by the resolver's mutex.
struct Query {
  const TimePoint started = Clock::now();
  std::vector<std::shared_ptr<Signal>> waiters;
  bool done = false;
  std::vector<Address> addresses;
  std::string failure;  ///< of this look-up, even where addresses of an older one still serve
};

struct Entry {
  std::vector<Address> addresses;  ///< of the last look-up that succeeded
  TimePoint stale_until{};         ///< these may be used until then
  TimePoint next_query{};          ///< what is known stands until then
  TimePoint last_use{};
  std::string failure;  ///< of the last look-up, empty if it succeeded
  std::shared_ptr<Query> query;
};

Task<void> given(std::shared_ptr<Signal> signal) { co_await signal->wait(); }

std::vector<Address> with_port(std::vector<Address> addresses, std::uint16_t port) {
  for (Address& address : addresses) address.set_port(port);
  return addresses;
}

tl::unexpected<Error> failed(ErrorKind kind, std::string text) {
  return fail(kind, ErrorSource::upstream, std::move(text), Retryable::yes);
}

}  // namespace

struct Resolver::State : std::enable_shared_from_this<State> {
  /// What the cache has to say about a name.
  struct Known {
    std::vector<Address> addresses;
    std::string failure;
    std::shared_ptr<Query> query;    ///< set: wait for it; `addresses` may serve if it takes too long
    std::shared_ptr<Signal> signal;  ///< given at its end
  };

  explicit State(Options wanted) : options(std::move(wanted)) {}

  Known ask(const std::string& host);
  bool make_room();
  void start(Entry& entry, const std::string& host);
  void finish(const std::string& host, Query& query, Result<std::vector<Address>> answer);
  void leave(Query& query, const std::shared_ptr<Signal>& signal);
  Result<std::vector<Address>> outcome(const Query& query, const std::string& host, std::uint16_t port);

  Options options;
  std::mutex mutex;
  std::unordered_map<std::string, Entry> entries;
};

Resolver::State::Known Resolver::State::ask(const std::string& host) {
  const std::lock_guard lock(mutex);
  const TimePoint now = options.clock();
  if (!entries.contains(host) && !make_room()) return {{}, "too many names are looked up at once", nullptr, nullptr};
  Entry& entry = entries[host];
  entry.last_use = now;
  if (entry.stale_until <= now) entry.addresses.clear();
  if (now < entry.next_query) return {entry.addresses, entry.failure, nullptr, nullptr};
  if (!entry.query) start(entry, host);
  if (!entry.query) return {entry.addresses, "the queue for look-ups is full", nullptr, nullptr};
  std::shared_ptr<Signal> signal = Signal::make();
  entry.query->waiters.push_back(signal);
  return {entry.addresses, {}, entry.query, std::move(signal)};
}

/// The name that was not asked for the longest gives way.
bool Resolver::State::make_room() {
  if (entries.size() < options.max_names) return true;
  auto oldest = entries.end();
  for (auto entry = entries.begin(); entry != entries.end(); ++entry) {
    if (entry->second.query) continue;
    if (oldest == entries.end() || entry->second.last_use < oldest->second.last_use) oldest = entry;
  }
  if (oldest == entries.end()) return false;
  entries.erase(oldest);
  return true;
}

void Resolver::State::start(Entry& entry, const std::string& host) {
  const auto query = std::make_shared<Query>();
  const auto work = [self = shared_from_this(), query, host] {
    self->finish(host, *query, self->options.look_up(host));
  };
  if (submit_blocking(work)) entry.query = query;
}

void Resolver::State::finish(const std::string& host, Query& query, Result<std::vector<Address>> answer) {
  if (answer && answer->empty()) answer = failed(ErrorKind::resolve, "it has no address");
  const std::lock_guard lock(mutex);
  const TimePoint now = options.clock();
  Entry& entry = entries[host];  // entries with a query are never evicted
  if (answer) {
    entry.addresses = std::move(*answer);
    entry.stale_until = now + options.ttl + options.stale;
    entry.next_query = now + options.ttl;
    entry.failure.clear();
  } else {
    if (entry.stale_until <= now) entry.addresses.clear();
    entry.next_query = now + options.negative_ttl;
    entry.failure = std::move(answer.error().text);
  }
  entry.query = nullptr;
  query.addresses = entry.addresses;
  query.failure = entry.failure;
  query.done = true;
  for (const std::shared_ptr<Signal>& waiter : query.waiters) waiter->give();
  query.waiters.clear();
}

void Resolver::State::leave(Query& query, const std::shared_ptr<Signal>& signal) {
  const std::lock_guard lock(mutex);
  std::erase(query.waiters, signal);
}

Result<std::vector<Address>> Resolver::State::outcome(const Query& query, const std::string& host, std::uint16_t port) {
  const std::lock_guard lock(mutex);
  if (!query.addresses.empty()) return with_port(query.addresses, port);
  return failed(ErrorKind::resolve, fmt::format("cannot resolve {}: {}", host, query.failure));
}

Resolver::Resolver(Options options) {
  if (!options.look_up) options.look_up = look_up_by_system;
  if (!options.clock) options.clock = Clock::now;
  state_ = std::make_shared<State>(std::move(options));
}

Resolver& Resolver::process() {
  static auto* const resolver = new Resolver;
  return *resolver;
}

std::size_t Resolver::size() const {
  const std::lock_guard lock(state_->mutex);
  return state_->entries.size();
}

Task<Result<std::vector<Address>>> Resolver::resolve(std::string host, std::uint16_t port, TimePoint deadline) {
  if (const std::optional<Address> literal = Address::from_literal(host, port)) co_return std::vector{*literal};
  host = text::to_lower(host);
  const std::shared_ptr<State> state = state_;
  State::Known known = state->ask(host);
  const bool has_addresses = !known.addresses.empty();
  if (!known.query && has_addresses) co_return with_port(std::move(known.addresses), port);
  if (!known.query) co_return failed(ErrorKind::resolve, fmt::format("cannot resolve {}: {}", host, known.failure));

  struct Leave {
    State& state;
    State::Known& known;
    ~Leave() { state.leave(*known.query, known.signal); }
  } leave{*state, known};
  const TimePoint enough = known.query->started + state->options.stale_wait;
  Running<void> answered(given(known.signal));
  if (has_addresses && enough <= Clock::now()) co_return with_port(std::move(known.addresses), port);
  if (co_await answered.finished(has_addresses ? std::min(deadline, enough) : deadline))
    co_return state->outcome(*known.query, host, port);
  if (has_addresses) co_return with_port(std::move(known.addresses), port);
  co_return failed(ErrorKind::timeout, fmt::format("timed out while resolving {}", host));
}

Task<Result<std::vector<Address>>> resolve(std::string host, std::uint16_t port, TimePoint deadline) {
  return Resolver::process().resolve(std::move(host), port, deadline);
}

}  // namespace sluice::net
