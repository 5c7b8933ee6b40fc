#pragma once
/// The shards' logs as the hosts use them: what a turn appends and claims goes to the logs, what
/// becomes of it comes back to the host by one message of each kind. It counts the commits, and
/// feeds the read side.
#include <memory>
#include <vector>

#include "actors/host/messages.h"
#include "events/fault_log.h"
#include "events/journal/commit_feed.h"

namespace souk {

/// Lifecycle: start -> { append, claim }* -> stop.
/// Thread: append, claim and follow any; what LogListener has the logs' own.
class HostLogs final : private LogListener {
 public:
  /// `feed`: none: nobody reads. `incarnation`: of this node, under which it claims.
  /// `cluster`: none: nobody else writes.
  HostLogs(ShardLogs& logs, EngineCounters& counters, CommitFeed* feed, std::uint64_t incarnation,
           ClusterWatch* cluster)
      : logs_(logs),
        counters_(counters),
        feed_(feed),
        incarnation_(incarnation),
        cluster_(cluster) {}

  void start(const std::vector<caf::actor>& hosts);
  /// The hosts hear nothing more.
  void stop();
  /// What a turn of a host decided, and empties it.
  void append(std::vector<Batch>& batches);
  void claim(std::vector<ShardId>& shards);
  void follow(std::vector<std::pair<ShardId, bool>>& shards);

 private:
  void landed(ShardId shard, const std::vector<LogAck>& acks) override;
  void doubted(ShardId shard, const Fault& why) override;
  void written(std::vector<Batch>&& records, std::chrono::nanoseconds took) override;
  void found(std::vector<Batch>&& records) override;
  void followed(ShardId shard, const FoldState& place) override;
  void given(ShardId shard, const LogOpened& opened) override;
  void begins() override;
  void ends() override;

  /// What is told to a host at the end of a write.
  struct News {
    std::vector<LandedRange> landed;
    std::vector<ShardId> doubted;
    std::vector<std::pair<ShardId, ShardLog::Claimed>> claimed;
    std::vector<std::pair<ShardId, ShardLog::Claimed>> given;
    std::vector<ShardId> followed;
  };
  News& news_of(ShardId shard) {
    return news_[host_of(shard, static_cast<std::uint32_t>(news_.size()))];
  }

  ShardLogs& logs_;
  EngineCounters& counters_;
  CommitFeed* const feed_;
  const std::uint64_t incarnation_;
  ClusterWatch* const cluster_;
  std::vector<caf::actor> hosts_;
  std::vector<News> news_;  // by host
  std::vector<Batch> durable_;
  bool failing_ = false;
};

}  // namespace souk
