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

#include "events/ids.h"
#include "events/journal/commit_feed.h"

namespace souk {

/// A durable batch, as its writer decided it or decoded once for all who read it.
class RecentBatch {
 public:
  explicit RecentBatch(Batch&& batch) : batch_(std::move(batch)) {}
  const Batch& batch() const { return batch_; }
  /// Thread: any.
  const Result<DecodedBatch, Fault>& decoded() const;

 private:
  mutable Batch batch_;       // its transactions until decoded_ has them
  mutable std::mutex mutex_;  // decoded_; std::call_once enters the kernel each time
  mutable std::unique_ptr<Result<DecodedBatch, Fault>> decoded_;
};

/// Keeps batches until every reader has had them, or until there are more bytes than it may hold:
/// then the slowest readers lose the oldest and go to the journal.
/// Writers do not wait for readers that keep up: those run at a low priority, and a lock that one
/// of them holds while it is preempted can hold up a commit. So what is new is pushed without a
/// lock and taken in by the readers; `committed` locks only where a reader sleeps or the bytes are
/// too many. Thread: any; `committed` one at a time.
class RecentLog final : public CommitFeed {
 public:
  /// `bytes_max`: of encoded batches; decoded they take about five times that. What writers decided is
  /// kept while there are no more bytes than half of it; who reads beyond that decodes again.
  RecentLog(std::uint32_t shards, std::size_t bytes_max);
  ~RecentLog() override;

  void committed(std::vector<Batch>&& batches) override;
  /// What was durable before this process began. REQUIRES: before the first reader.
  void begin_at(const std::vector<Seq>& last_seqs);

  /// The last durable sequence number of a shard.
  Seq last_seq(ShardId shard) const {
    return last_seqs_[shard.value].load(std::memory_order_seq_cst);
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
  using Kept = std::shared_ptr<const RecentBatch>;
  /// What one commit brought, until a reader takes it in; the newest first.
  struct Arrival {
    std::vector<Batch> batches;
    Arrival* next;
  };
  /// REQUIRES: mutex_.
  void take_in();
  /// What may be forgotten, to be freed without the lock. REQUIRES: mutex_.
  std::vector<Kept> trim();

  std::atomic<Arrival*> arrivals_{nullptr};
  std::atomic<std::size_t> bytes_{0};  // with the arrivals
  std::atomic<std::size_t> joined_{0};
  std::atomic<std::size_t> waiting_{0};
  const std::size_t bytes_max_;
  std::vector<std::atomic<Seq>> last_seqs_;

  mutable std::mutex mutex_;  // what follows
  std::condition_variable arrived_;
  std::deque<Kept> batches_;
  std::uint64_t first_ = 0;  // the count of the first that is kept
  std::uint64_t wakes_ = 0;
  std::vector<Reader*> readers_;
};

}  // namespace souk
