#pragma once
/// The end of the log, in memory: what read models that are close read instead of the disk.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "events/commit_feed.h"
#include "events/ids.h"

namespace souk {

/// A durable batch, decoded once for all who read it.
class RecentBatch {
 public:
  explicit RecentBatch(Batch&& batch) : batch_(std::move(batch)) {}
  const Batch& batch() const { return batch_; }
  /// Thread: any.
  const Result<DecodedBatch, Fault>& decoded() const;

 private:
  Batch batch_;
  mutable std::once_flag once_;
  mutable std::unique_ptr<Result<DecodedBatch, Fault>> decoded_;
};

/// Keeps batches until every reader has had them, or until there are more bytes than it may hold:
/// then the slowest readers lose the oldest and go to the journal. Writers never wait.
/// Thread: any.
class RecentLog final : public CommitFeed {
 public:
  /// `bytes_max`: of encoded batches; decoded they take about five times that.
  RecentLog(std::uint32_t shards, std::size_t bytes_max);

  void committed(std::vector<Batch>&& batches) override;
  /// What was durable before this process began. REQUIRES: before the first reader.
  void begin_at(const std::vector<Seq>& last_seqs);

  /// The last durable sequence number of a shard.
  Seq last_seq(ShardId shard) const {
    return last_seqs_[shard.value].load(std::memory_order_acquire);
  }
  std::uint32_t shards() const { return static_cast<std::uint32_t>(last_seqs_.size()); }

  /// One who reads on from where it joined.
  class Reader {
   public:
    explicit Reader(RecentLog& log);
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    struct Run {
      std::vector<std::shared_ptr<const RecentBatch>> batches;
      bool lost = false;  // some before these are no longer here: read the journal first
    };
    /// At most `batches_max`; nothing where there is nothing new.
    Run read(std::size_t batches_max);
    /// Returns when there is something to read, after `patience`, or on wake().
    void wait(std::chrono::milliseconds patience);

   private:
    friend class RecentLog;
    RecentLog& log_;
    std::uint64_t at_ = 0;  // of the log's count of batches
    bool lost_ = false;
  };

  /// Ends the waits of all readers.
  void wake();

 private:
  void trim();

  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::shared_ptr<const RecentBatch>> batches_;
  std::uint64_t first_ = 0;  // the count of the first that is kept
  std::size_t bytes_ = 0;
  std::size_t waiting_ = 0;
  std::uint64_t wakes_ = 0;
  std::vector<Reader*> readers_;
  const std::size_t bytes_max_;
  std::vector<std::atomic<Seq>> last_seqs_;
};

}  // namespace souk
