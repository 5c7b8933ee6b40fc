#include "gateway/api/edge/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>
#include <utility>

#include "gateway/api/edge/problem.h"

namespace souk {
namespace {

constexpr double ns_per_s = 1e9;
constexpr double us_per_s = 1e6;
constexpr unsigned first_bucket_log2_us = 6;

std::string_view result_text(std::size_t result) {
  if (result == ApiMetrics::invalid) return "invalid";
  if (result == ApiMetrics::shed) return "shed";
  return reply_code_text(static_cast<ReplyCode>(result));
}

std::uint64_t load(const std::atomic<std::uint64_t>& value) {
  return value.load(std::memory_order_relaxed);
}

/// Bytes of memory that the process really has; 0 where the kernel does not say.
double resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  unsigned long size = 0, resident = 0;
  const int read = std::fscanf(file, "%lu %lu", &size, &resident);
  std::fclose(file);
  return read == 2 ? static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) : 0;
}

using Labels = std::vector<prometheus::ClientMetric::Label>;

}  // namespace

/// Builds the page family by family.
class MetricsPage {
 public:
  std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

  void counter(std::string name, std::string help, double value) {
    family(std::move(name), std::move(help), prometheus::MetricType::Counter);
    counter_of({}, value);
  }
  void gauge(std::string name, std::string help, double value) {
    family(std::move(name), std::move(help), prometheus::MetricType::Gauge);
    gauge_of({}, value);
  }
  void gauge_of(Labels labels, double value) {
    prometheus::ClientMetric metric;
    metric.label = std::move(labels);
    metric.gauge.value = value;
    families_.back().metric.push_back(std::move(metric));
  }
  void family(std::string name, std::string help, prometheus::MetricType type) {
    families_.push_back({std::move(name), std::move(help), type, {}});
  }
  void counter_of(Labels labels, double value) {
    prometheus::ClientMetric metric;
    metric.label = std::move(labels);
    metric.counter.value = value;
    families_.back().metric.push_back(std::move(metric));
  }
  /// `counts` by upper bound; the last bucket has none.
  template <std::size_t N>
  void histogram_of(Labels labels, const std::array<std::uint64_t, N>& counts,
                    const std::array<double, N>& bounds, double sum) {
    prometheus::ClientMetric metric;
    metric.label = std::move(labels);
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i < N; ++i) {
      cumulative += counts[i];
      metric.histogram.bucket.push_back({cumulative, bounds[i]});
    }
    metric.histogram.sample_count = cumulative;
    metric.histogram.sample_sum = sum;
    families_.back().metric.push_back(std::move(metric));
  }

  void requests(const ApiMetrics& api) {
    family("souk_commands_total",
           "Commands and queries answered, by what was asked and how it ended",
           prometheus::MetricType::Counter);
    each_action(api, [&](Action action, const ApiMetrics::PerAction& counts) {
      for (std::size_t r = 0; r < ApiMetrics::result_count; ++r)
        if (const auto n = load(counts.results[r]); n > 0)
          counter_of(
              {{"op", std::string(action_name(action))}, {"result", std::string(result_text(r))}},
              static_cast<double>(n));
    });
    family("souk_request_seconds", "From the whole request to its answer",
           prometheus::MetricType::Histogram);
    std::array<double, ApiMetrics::bucket_count> bounds;
    for (std::size_t i = 0; i < bounds.size(); ++i)
      bounds[i] = std::ldexp(1.0, static_cast<int>(first_bucket_log2_us + i)) / us_per_s;
    bounds.back() = std::numeric_limits<double>::infinity();
    each_action(api, [&](Action action, const ApiMetrics::PerAction& counts) {
      std::array<std::uint64_t, ApiMetrics::bucket_count> copy;
      std::transform(counts.buckets.begin(), counts.buckets.end(), copy.begin(), load);
      if (std::all_of(copy.begin(), copy.end(), [](std::uint64_t n) { return n == 0; })) return;
      histogram_of({{"op", std::string(action_name(action))}}, copy, bounds,
                   static_cast<double>(load(counts.nanoseconds)) / ns_per_s);
    });
    gauge("souk_requests_in_flight", "Tickets that wait for an answer",
          static_cast<double>(api.tickets_.load(std::memory_order_relaxed)));
    gauge("souk_batch_bytes", "Bodies and answers of batches under way",
          static_cast<double>(api.batch_bytes_.load(std::memory_order_relaxed)));
  }

  void engine(const EngineCounters& c) {
    const auto all = [&](const char* name, const char* help,
                         const std::atomic<std::uint64_t>& value) {
      counter(name, help, static_cast<double>(load(value)));
    };
    const auto now = [&](const char* name, const char* help,
                         const std::atomic<std::uint64_t>& value) {
      gauge(name, help, static_cast<double>(load(value)));
    };
    all("souk_commits_total", "Synced writes of the journal", c.commits);
    all("souk_committed_batches_total", "Batch records in them", c.committed_batches);
    all("souk_committed_events_total", "Events in them", c.committed_events);
    all("souk_commit_bytes_total", "Bytes in them", c.commit_bytes);
    all("souk_commit_failures_total", "Writes of the journal that failed", c.commit_failures);
    all("souk_evictions_total", "Entities that left memory", c.evictions);
    all("souk_loads_total", "Entities read from the state store", c.loads);
    all("souk_checkpoints_total", "Checkpoints written", c.checkpoints);
    all("souk_states_written_total", "Entity states written", c.states_written);
    all("souk_states_folded_anew_total", "Damaged states that were folded from the journal again",
        c.states_folded_anew);
    now("souk_queue_depth", "Requests that wait in front of the shards", c.queue_depth);
    now("souk_pending_orders", "Orders that are not final", c.pending_orders);
    now("souk_entities_in_memory", "Entities in memory", c.entities_in_memory);
    now("souk_entity_memory_bytes", "What they take", c.memory_bytes);
    now("souk_suspended_shards", "Shards that wait for a failing disk", c.suspended_shards);
    commit_histograms(c);
  }

  void servers(const std::vector<const HttpServer*>& servers) {
    HttpStats sum;
    for (const auto* server : servers) {
      const auto stats = server->stats();
      sum.connections += stats.connections;
      sum.accepted += stats.accepted;
      sum.requests += stats.requests;
      sum.bytes_in += stats.bytes_in;
      sum.bytes_out += stats.bytes_out;
      sum.refused_connections += stats.refused_connections;
      sum.timeouts += stats.timeouts;
      sum.bad_requests += stats.bad_requests;
    }
    gauge("souk_http_connections", "Open connections", static_cast<double>(sum.connections));
    counter("souk_http_accepted_total", "Connections accepted", static_cast<double>(sum.accepted));
    counter("souk_http_requests_total", "Requests read", static_cast<double>(sum.requests));
    counter("souk_http_received_bytes_total", "Bytes read", static_cast<double>(sum.bytes_in));
    counter("souk_http_sent_bytes_total", "Bytes written", static_cast<double>(sum.bytes_out));
    counter("souk_http_refused_connections_total", "Connections refused at the limit",
            static_cast<double>(sum.refused_connections));
    counter("souk_http_timeouts_total", "Connections closed for being too slow",
            static_cast<double>(sum.timeouts));
    counter("souk_http_bad_requests_total", "Requests that were not HTTP",
            static_cast<double>(sum.bad_requests));
  }

  void stores(const std::vector<StoreTrouble>& troubles) {
    family("souk_store_trouble",
           "1: the store of that folder cannot be written, or damage was found in it",
           prometheus::MetricType::Gauge);
    for (const char* store : store_names)
      gauge_of(
          {{"store", store}},
          std::ranges::any_of(troubles, [&](const auto& t) { return t.store == store; }) ? 1 : 0);
  }

  /// The read models: a family for each figure, a sample for each model.
  void projections(const std::vector<ProjectionStatus>& all) {
    using prometheus::MetricType;
    const auto each = [&](const char* name, const char* help, MetricType type, auto&& value) {
      family(name, help, type);
      for (const auto& s : all) {
        const Labels labels{{"projection", s.name}};
        const auto figure = static_cast<double>(value(s));
        type == MetricType::Counter ? counter_of(labels, figure) : gauge_of(labels, figure);
      }
    };
    each("souk_projection_position", "Events that queries see, over all shards", MetricType::Gauge,
         [](const auto& s) {
           return std::accumulate(s.positions.begin(), s.positions.end(), Seq{0});
         });
    each("souk_projection_lag_events", "Durable events that queries do not see yet",
         MetricType::Gauge, [](const auto& s) { return s.lag_events; });
    each("souk_projection_lag_seconds", "Age of the oldest event that queries do not see yet",
         MetricType::Gauge, [](const auto& s) { return s.lag_seconds; });
    each("souk_projection_events_total", "Events applied since the start", MetricType::Counter,
         [](const auto& s) { return s.applied; });
    each("souk_projection_stuck",
         "1: it is behind and nothing comes through; 0 while it is slow, paused or rebuilt",
         MetricType::Gauge, [](const auto& s) { return s.stuck ? 1 : 0; });
    each("souk_projection_stale_entities", "Entities in quarantine", MetricType::Gauge,
         [](const auto& s) { return s.stale.size(); });
    each("souk_projection_rebuild_done_events", "Events that the copy under way has; 0: none is",
         MetricType::Gauge, [](const auto& s) { return s.rebuild ? s.rebuild->done : 0; });
    each("souk_projection_rebuild_total_events", "Events that it will have", MetricType::Gauge,
         [](const auto& s) { return s.rebuild ? s.rebuild->total : 0; });
    family("souk_projection_state", "1 for the state that it is in", MetricType::Gauge);
    for (const auto& s : all)
      for (const auto state :
           {ProjectionState::live, ProjectionState::catching_up, ProjectionState::rebuilding,
            ProjectionState::paused, ProjectionState::quarantined})
        gauge_of({{"projection", s.name}, {"state", std::string(name_of(state))}},
                 state == s.state ? 1 : 0);
  }

  /// Read models of other nodes, asked from here, and of this one, asked from others.
  void questions(const cluster::QuestionRelay::Figures& figures) {
    const auto count = [&](std::string name, std::string help, std::uint64_t n) {
      counter("souk_questions_" + name + "_total", std::move(help), static_cast<double>(n));
    };
    count("forwarded", "Questions to read models that went to other nodes", figures.asked);
    count("forwarded_answered", "Of these, answered by one", figures.answered);
    count("forwarded_again", "Sent to another node, since the first was lost or had no read models",
          figures.asked_again);
    gauge("souk_questions_forwarded_waiting", "Sent to other nodes, and not answered yet",
          static_cast<double>(figures.waiting));
    count("taken", "Questions to read models that came from other nodes", figures.taken);
    count("taken_answered", "Of these, answered", figures.given);
  }

  /// The integration topics: a sample for each of them.
  void integration(const PublisherStatus& status) {
    using prometheus::MetricType;
    gauge("souk_integration_shards", "Shards that this node publishes",
          static_cast<double>(status.shards));
    const auto each = [&](const char* name, const char* help, MetricType type, auto&& value) {
      family(name, help, type);
      for (const auto& topic : status.topics) {
        const Labels labels{{"topic", std::string(name_of(topic.topic))}};
        const auto figure = static_cast<double>(value(topic));
        type == MetricType::Counter ? counter_of(labels, figure) : gauge_of(labels, figure);
      }
    };
    each("souk_integration_published_total", "Events written to the topic since the start",
         MetricType::Counter, [](const auto& topic) { return topic.published; });
    each("souk_integration_lag_events",
         "Durable events of these shards, of any kind, that the topic has not got through",
         MetricType::Gauge, [](const auto& topic) { return topic.lag_events; });
    each("souk_integration_trouble", "1: the topic cannot be written, the log says why",
         MetricType::Gauge, [](const auto& topic) { return topic.trouble.empty() ? 0 : 1; });
  }

 private:
  template <class F>
  void each_action(const ApiMetrics& api, F visit) {
    for (std::size_t i = 0; i < action_count; ++i) visit(static_cast<Action>(i), api.by_action_[i]);
  }

  void commit_histograms(const EngineCounters& c) {
    std::array<std::uint64_t, 24> commits;
    std::array<double, 24> seconds;
    for (std::size_t i = 0; i < commits.size(); ++i) {
      commits[i] = load(c.commit_us_log2[i]);
      seconds[i] = std::ldexp(1.0, static_cast<int>(i)) / us_per_s;
    }
    seconds.back() = std::numeric_limits<double>::infinity();
    family("souk_commit_seconds", "Time of a synced write", prometheus::MetricType::Histogram);
    histogram_of({}, commits, seconds, static_cast<double>(load(c.commit_ns_total)) / ns_per_s);
    std::array<std::uint64_t, 16> batches;
    std::array<double, 16> events;
    for (std::size_t i = 0; i < batches.size(); ++i) {
      batches[i] = load(c.batch_events_log2[i]);
      events[i] = std::ldexp(1.0, static_cast<int>(i));
    }
    events.back() = std::numeric_limits<double>::infinity();
    family("souk_batch_events", "Events of a batch record", prometheus::MetricType::Histogram);
    histogram_of({}, batches, events, static_cast<double>(load(c.committed_events)));
  }

  std::vector<prometheus::MetricFamily> families_;
};

void ApiMetrics::count(Action action, std::size_t result, std::uint64_t nanoseconds) {
  auto& counts = by_action_[index_of(action)];
  counts.results[result].fetch_add(1, std::memory_order_relaxed);
  const std::uint64_t us = nanoseconds / 1000;
  const auto log2_up = us <= 1 ? 0u : static_cast<unsigned>(std::bit_width(us - 1));
  const std::size_t bucket = log2_up <= first_bucket_log2_us ? 0 : log2_up - first_bucket_log2_us;
  counts.buckets[std::min(bucket, bucket_count - 1)].fetch_add(1, std::memory_order_relaxed);
  counts.nanoseconds.fetch_add(nanoseconds, std::memory_order_relaxed);
}

void ApiMetrics::add_server(const HttpServer& server) {
  const std::lock_guard lock(servers_mutex_);
  if (std::ranges::find(servers_, &server) == servers_.end()) servers_.push_back(&server);
}

std::string ApiMetrics::text(
    const EngineCounters& engine, const RecoveryReport& recovery, double recovery_seconds,
    const std::vector<ProjectionStatus>& projections, const Views::Stats& views,
    const std::vector<StoreTrouble>& stores, const std::optional<PublisherStatus>& integration,
    const std::optional<cluster::QuestionRelay::Figures>& questions) const {
  MetricsPage page;
  page.requests(*this);
  page.engine(engine);
  {
    const std::lock_guard lock(servers_mutex_);
    page.servers(servers_);
  }
  page.projections(projections);
  page.stores(stores);
  if (integration) page.integration(*integration);
  if (questions) page.questions(*questions);
  page.counter("souk_view_hits_total", "Documents sent from memory",
               static_cast<double>(views.hits));
  page.counter("souk_view_outdated_total", "Documents in memory that had to be made anew",
               static_cast<double>(views.outdated));
  page.counter("souk_view_made_total", "Documents made", static_cast<double>(views.made));
  page.gauge("souk_view_cache_bytes", "What the documents in memory take",
             static_cast<double>(views.bytes));
  page.gauge("souk_recovery_seconds", "How long the last start took to recover", recovery_seconds);
  page.gauge("souk_recovery_events", "Events replayed by it", static_cast<double>(recovery.events));
  page.gauge("souk_recovery_entities", "Entities loaded by it",
             static_cast<double>(recovery.entities));
  page.gauge("process_resident_memory_bytes", "Memory that the process has", resident_bytes());
  return page.text();
}

}  // namespace souk
