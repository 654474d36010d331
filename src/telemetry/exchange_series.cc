#include "telemetry/exchange_series.h"

#include <algorithm>
#include <array>

#include "telemetry/family.h"

namespace sluice::telemetry {
namespace {

constexpr std::string_view other = "other";

std::uint64_t next_id() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

using prometheus::MetricFamily;
using prometheus::MetricType;

/// What one histogram comes to over all threads.
template <const auto& bounds>
struct HistogramTotal {
  std::array<std::uint64_t, bounds.size() + 1> counts{};
  double sum = 0;

  void add(const Histogram<bounds>& from) { from.add_to(counts, sum); }
  bool empty() const {
    return std::ranges::all_of(counts, [](std::uint64_t count) { return count == 0; });
  }
  void add_to(MetricFamily& family, LabelViews labels) const {
    if (!empty()) add_histogram(family, labels, bounds, counts, sum);
  }
};

}  // namespace

/// One combination of labels on one thread.
struct ExchangeSeries::Series {
  Cell<std::uint64_t> requests;
  Histogram<duration_bounds> duration;
  Histogram<first_token_bounds> first_token;
  Histogram<between_token_bounds> between_tokens;
  Cell<std::uint64_t> bytes_in;
  Cell<std::uint64_t> bytes_out;
  Cell<std::uint64_t> prompt;
  Cell<std::uint64_t> completion;
  Cell<std::uint64_t> cached;
  Cell<std::uint64_t> reasoning;
  Cell<std::uint64_t> estimated;
  Cell<std::uint64_t> cost_unknown;
  Cell<double> cost;

  void add(const Settlement& settlement) {
    requests.add(1);
    duration.observe(seconds(settlement.duration));
    if (settlement.first_token) first_token.observe(seconds(*settlement.first_token));
    if (settlement.gaps != nullptr) between_tokens.merge(settlement.gaps->counts(), settlement.gaps->sum());
    bytes_in.add(settlement.bytes_in);
    bytes_out.add(settlement.bytes_out);
    if (settlement.tokens_known) add_tokens(settlement);
  }

  void add_tokens(const Settlement& settlement) {
    prompt.add(settlement.prompt);
    completion.add(settlement.completion);
    cached.add(settlement.cached);
    reasoning.add(settlement.reasoning);
    if (settlement.tokens_estimated) estimated.add(1);
    if (settlement.cost) {
      cost.add(*settlement.cost);
    } else {
      cost_unknown.add(1);
    }
  }
};

/// All threads together: requests by every label, the rest by provider and model.
struct ExchangeSeries::Totals {
  struct Model {
    HistogramTotal<duration_bounds> duration;
    HistogramTotal<first_token_bounds> first_token;
    HistogramTotal<between_token_bounds> between_tokens;
    std::uint64_t prompt = 0;
    std::uint64_t completion = 0;
    std::uint64_t cached = 0;
    std::uint64_t reasoning = 0;
    std::uint64_t estimated = 0;
    std::uint64_t cost_unknown = 0;
    double cost = 0;

    void add(const Series& series) {
      duration.add(series.duration);
      first_token.add(series.first_token);
      between_tokens.add(series.between_tokens);
      prompt += series.prompt.get();
      completion += series.completion.get();
      cached += series.cached.get();
      reasoning += series.reasoning.get();
      estimated += series.estimated.get();
      cost_unknown += series.cost_unknown.get();
      cost += series.cost.get();
    }
    bool counted() const { return prompt + completion + estimated + cost_unknown > 0 || cost > 0; }
  };

  // By what is shown: values that look alike once made fit must not become two series of the same name.
  std::map<std::array<std::string, 4>, std::uint64_t> requests;
  std::map<std::array<std::string, 2>, Model> models;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::int64_t live = 0;
  std::uint64_t comments = 0;

  void add(const Key& key, const Series& series) {
    const std::string provider = label_value(key.provider);
    const std::string model = label_value(key.model);
    requests[{label_value(key.route), provider, model, key.outcome}] += series.requests.get();
    models[{provider, model}].add(series);
    bytes_in += series.bytes_in.get();
    bytes_out += series.bytes_out.get();
  }

  MetricFamily requests_family() const;
  std::vector<MetricFamily> time_families() const;
  std::vector<MetricFamily> usage_families() const;
  std::vector<MetricFamily> plain_families() const;
};

/// What one thread counts. Only it adds series, under `growing`; whoever else looks at them holds `growing`.
struct ExchangeSeries::Table {
  std::atomic<bool> taken{true};
  mutable std::mutex growing;
  std::unordered_map<Key, std::unique_ptr<Series>, KeyHash, KeyEqual> series;
  Cell<std::int64_t> live;
  Cell<std::uint64_t> comments;

  Series* find(const KeyView& key) {
    const auto found = series.find(key);
    return found == series.end() ? nullptr : found->second.get();
  }
  Series& find_or_make(const Key& key) {
    if (Series* const found = find(key)) return *found;
    auto made = std::make_unique<Series>();
    const std::lock_guard lock(growing);
    return *series.emplace(key, std::move(made)).first->second;
  }
  void add_to(Totals& totals) const {
    const std::lock_guard lock(growing);
    for (const auto& [key, values] : series) totals.add(key, *values);
    totals.live += live.get();
    totals.comments += comments.get();
  }
};

/// The tables this thread counts into, one for each ExchangeSeries it has met; given back when the thread ends.
class ExchangeSeries::Leases {
 public:
  ~Leases() {
    for (const auto& [id, table] : tables_) table->taken.store(false, std::memory_order_release);
  }
  Table& of(ExchangeSeries& series) {
    if (last_id_ != series.id_) look_up(series);
    return *last_;
  }

 private:
  void look_up(ExchangeSeries& series) {
    std::shared_ptr<Table>& table = tables_[series.id_];
    if (!table) table = series.take_table();
    last_id_ = series.id_;
    last_ = table.get();
  }

  std::uint64_t last_id_ = 0;
  Table* last_ = nullptr;
  std::map<std::uint64_t, std::shared_ptr<Table>> tables_;
};

ExchangeSeries::ExchangeSeries(std::size_t max_series) : id_(next_id()), max_series_(max_series) {}

ExchangeSeries::~ExchangeSeries() = default;

std::size_t ExchangeSeries::KeyHash::operator()(const KeyView& key) const {
  return hash::of(key.model, hash::of(key.provider, hash::of(key.route, hash::of(key.outcome))));
}

ExchangeSeries::Table& ExchangeSeries::own_table() {
  thread_local Leases leases;
  return leases.of(*this);
}

std::shared_ptr<ExchangeSeries::Table> ExchangeSeries::take_table() {
  const std::lock_guard lock(mutex_);
  for (const std::shared_ptr<Table>& table : tables_) {
    if (!table->taken.exchange(true, std::memory_order_acquire)) return table;
  }
  tables_.push_back(std::make_shared<Table>());
  return tables_.back();
}

void ExchangeSeries::settle(const Settlement& settlement) { series_of(own_table(), settlement).add(settlement); }
void ExchangeSeries::began() { own_table().live.add(1); }
void ExchangeSeries::ended() { own_table().live.add(-1); }
void ExchangeSeries::comment() { own_table().comments.add(1); }

ExchangeSeries::Series& ExchangeSeries::series_of(Table& table, const Settlement& settlement) {
  const KeyView key{settlement.route, settlement.provider, settlement.model, settlement.outcome};
  Series* const found = table.find(key);
  return found != nullptr ? *found : admit(table, settlement);
}

// Slow, and rare unless clients invent names: a combination that is new to this thread.
ExchangeSeries::Series& ExchangeSeries::admit(Table& table, const Settlement& settlement) {
  std::unique_lock lock(mutex_);
  const Key key =
      admitted({settlement.route, settlement.provider, settlement.model, settlement.outcome}, settlement.model_known);
  lock.unlock();
  return table.find_or_make(key);
}

ExchangeSeries::Key ExchangeSeries::admitted(const KeyView& key, bool model_known) {
  if (known_.contains(key)) return Key(key);
  const std::pair<std::string, std::string> model(key.provider, key.model.substr(0, max_label_bytes + 1));
  const bool fits = key.model.size() <= max_label_bytes;
  if (!key.model.empty() && key.model != other && !(fits && (model_known || known_models_.contains(model)))) {
    return admitted({key.route, key.provider, other, key.outcome}, true);
  }
  // "other" has a series for each outcome, and outcomes are few.
  if (known_.size() >= max_series_) return Key({other, other, other, key.outcome});
  known_models_.insert(model);
  known_.insert(Key(key));
  return Key(key);
}

std::vector<MetricFamily> ExchangeSeries::collect() const {
  Totals totals;
  {
    const std::lock_guard lock(mutex_);
    for (const std::shared_ptr<Table>& table : tables_) table->add_to(totals);
  }
  std::vector<MetricFamily> families{totals.requests_family()};
  for (auto&& part : {totals.time_families(), totals.usage_families(), totals.plain_families()}) {
    families.insert(families.end(), part.begin(), part.end());
  }
  return families;
}

MetricFamily ExchangeSeries::Totals::requests_family() const {
  MetricFamily family = make_family("sluice_requests_total", "Finished exchanges.", MetricType::Counter);
  for (const auto& [key, count] : requests) {
    const auto& [route, provider, model, outcome] = key;
    add_value(family, {{"route", route}, {"provider", provider}, {"model", model}, {"outcome", outcome}},
              static_cast<double>(count));
  }
  return family;
}

std::vector<MetricFamily> ExchangeSeries::Totals::time_families() const {
  MetricFamily duration =
      make_family("sluice_request_duration_seconds", "From the request's first byte to the end of the exchange.",
                  MetricType::Histogram);
  MetricFamily first_token =
      make_family("sluice_first_token_seconds", "From the request's first byte to the answer's first content.",
                  MetricType::Histogram);
  MetricFamily between = make_family("sluice_between_token_seconds",
                                     "Between two pieces of content of a streamed answer.", MetricType::Histogram);
  for (const auto& [key, total] : models) {
    const LabelViews labels{{"provider", key[0]}, {"model", key[1]}};
    total.duration.add_to(duration, labels);
    total.first_token.add_to(first_token, labels);
    total.between_tokens.add_to(between, labels);
  }
  return {std::move(duration), std::move(first_token), std::move(between)};
}

std::vector<MetricFamily> ExchangeSeries::Totals::usage_families() const {
  MetricFamily tokens =
      make_family("sluice_tokens_total", "Tokens by kind; prompt includes cached, completion includes reasoning.",
                  MetricType::Counter);
  MetricFamily estimated =
      make_family("sluice_usage_estimated_total", "Exchanges whose tokens are our estimate, not the provider's count.",
                  MetricType::Counter);
  MetricFamily cost =
      make_family("sluice_cost_usd_total", "Cost in US dollars, where prices are known.", MetricType::Counter);
  MetricFamily unknown =
      make_family("sluice_cost_unknown_total", "Exchanges with tokens whose price is unknown.", MetricType::Counter);
  for (const auto& [key, total] : models) {
    if (!total.counted()) continue;
    const auto& [provider, model] = key;
    const auto add_tokens = [&](std::string_view kind, std::uint64_t count) {
      add_value(tokens, {{"provider", provider}, {"model", model}, {"kind", kind}}, static_cast<double>(count));
    };
    add_tokens("prompt", total.prompt);
    add_tokens("completion", total.completion);
    add_tokens("cached", total.cached);
    add_tokens("reasoning", total.reasoning);
    const LabelViews labels{{"provider", provider}, {"model", model}};
    add_value(estimated, labels, static_cast<double>(total.estimated));
    add_value(cost, labels, total.cost);
    add_value(unknown, labels, static_cast<double>(total.cost_unknown));
  }
  return {std::move(tokens), std::move(estimated), std::move(cost), std::move(unknown)};
}

std::vector<MetricFamily> ExchangeSeries::Totals::plain_families() const {
  std::vector<MetricFamily> families;
  const auto add = [&](std::string_view name, std::string_view help, MetricType type, double value) {
    families.push_back(make_family(name, help, type));
    add_value(families.back(), {}, value);
  };
  add("sluice_streams", "Exchanges under way.", MetricType::Gauge, static_cast<double>(live));
  add("sluice_received_bytes_total", "Bytes of request bodies of finished exchanges.", MetricType::Counter,
      static_cast<double>(bytes_in));
  add("sluice_sent_bytes_total", "Bytes of answers of finished exchanges.", MetricType::Counter,
      static_cast<double>(bytes_out));
  add("sluice_keep_alive_comments_total", "Comments sent to keep silent streams alive.", MetricType::Counter,
      static_cast<double>(comments));
  return families;
}

}  // namespace sluice::telemetry
