#pragma once
/// What /metrics shows. The edge counts by itself with relaxed atomics; the rest is read from the
/// engine and the servers when somebody asks.
#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "actors/host/engine.h"
#include "actors/ports/store_trouble.h"
#include "cluster/node/question_relay.h"
#include "gateway/api/commands/fields.h"
#include "gateway/cache/views.h"
#include "gateway/http/server.h"
#include "projections/integration/publisher.h"
#include "projections/runner/runner.h"

namespace souk {

class ApiMetrics {
 public:
  /// Results: the reply codes of the engine, then `invalid` (refused at the edge) and `shed`.
  static constexpr std::size_t result_count = 12;
  static constexpr std::size_t invalid = 10;
  static constexpr std::size_t shed = 11;
  /// Latencies up to 2^(6+i) microseconds, then all.
  static constexpr std::size_t bucket_count = 20;

  /// Thread: any.
  void count(Action action, std::size_t result, std::uint64_t nanoseconds);
  void ticket_taken() { tickets_.fetch_add(1, std::memory_order_relaxed); }
  void ticket_freed() { tickets_.fetch_sub(1, std::memory_order_relaxed); }
  void batch_bytes_changed(std::int64_t by) {
    batch_bytes_.fetch_add(by, std::memory_order_relaxed);
  }
  /// Each once, however often it is added. The server outlives the last call of `text`.
  void add_server(const HttpServer& server);

  /// The whole page, in Prometheus' text format.
  std::string text(
      const EngineCounters& engine, const RecoveryReport& recovery, double recovery_seconds,
      const std::vector<ProjectionStatus>& projections, const Views::Stats& views,
      const std::vector<StoreTrouble>& stores,
      const std::optional<PublisherStatus>& integration = std::nullopt,
      const std::optional<cluster::QuestionRelay::Figures>& questions = std::nullopt) const;
  std::uint64_t counted(Action action, std::size_t result) const {
    return by_action_[index_of(action)].results[result].load(std::memory_order_relaxed);
  }

 private:
  friend class MetricsPage;
  struct PerAction {
    std::array<std::atomic<std::uint64_t>, result_count> results{};
    std::array<std::atomic<std::uint64_t>, bucket_count> buckets{};
    std::atomic<std::uint64_t> nanoseconds{0};
  };
  std::array<PerAction, action_count> by_action_{};
  std::atomic<std::int64_t> tickets_{0};
  std::atomic<std::int64_t> batch_bytes_{0};
  mutable std::mutex servers_mutex_;
  std::vector<const HttpServer*> servers_;
};

}  // namespace souk
