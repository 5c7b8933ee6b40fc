#pragma once
/// What shared logs are told once.
#include <chrono>
#include <cstdint>
#include <functional>

namespace souk {

/// In which the record stands that begins each log (shared_logs.h).
inline constexpr std::uint64_t first_epoch = 1;

struct SharedLogsOptions {
  std::uint32_t shards = 0;
  std::uint64_t node = 0;     // stands in its claims
  std::uint64_t genesis = 0;  // see namespace genesis
  /// Of this node: a transfer to it opens a log.
  std::uint64_t incarnation = 0;
  /// ShardLog::under_way_max, and ShardLogs'. A record is a request of its own, and costs nodes and
  /// brokers the same whatever is in it (docs/performance.md, "Records gather").
  std::size_t under_way_of_shard_max = 1;
  std::size_t under_way_max = 8;
  /// A record that is not reported for so long is in doubt. Longer than a broker's leader takes to
  /// answer under load, shorter than clients wait.
  std::chrono::milliseconds overdue{2'000};
  /// A claim that failed is sent again after this.
  std::chrono::milliseconds claim_retry{100};
  /// A log that is followed is looked at so often: a topic that was made again is read on as if it
  /// were the old one.
  std::chrono::milliseconds look_again{10'000};
  using Clock = std::chrono::steady_clock;
  std::function<Clock::time_point()> now = &Clock::now;
};

}  // namespace souk
