#pragma once
/// The logs of all shards of a node over one store: what was appended while a write was under way
/// goes into the next one, with one sync for all of them.
///
/// Invariants, for each shard:
///   - offsets are dense: a record gets the one behind the last, and after a doubt the store says
///     which is the last;
///   - acknowledgements come in the order of the tickets, and none after a doubt before a claim;
///   - a failed write puts only those shards in doubt that had a record in it; what others appended
///     waits for the store to settle, and is written then; where it does not settle at once it is
///     dropped, and they are in doubt as well.
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "events/journal/log_store.h"
#include "events/journal/shard_log.h"

namespace souk {

/// Lifecycle: open, then start (or listen, and step by step), then stop. `store` and the listener
/// outlive it.
class GroupCommit final : public ShardLogs {
 public:
  /// Reads where each log ends. Errors: unavailable, corrupt.
  static Result<std::unique_ptr<GroupCommit>, Fault> open(LogStore& store, std::uint32_t shards);
  ~GroupCommit() override;

  /// REQUIRES: before the first append.
  void listen(LogListener& listener) { listener_ = &listener; }
  ShardLog& log(ShardId shard) override;

  /// One write of all that waits, or one try to settle after a failed one. False: nothing to do.
  /// Thread: one; the log's own, where `start` was called.
  bool step();
  /// A thread that steps when there is something to do. After a failed settle it waits `retry`.
  void start(LogListener& listener, std::chrono::milliseconds retry);
  void start(LogListener& listener) override { start(listener, std::chrono::milliseconds(200)); }
  void flush() override;
  void stop() override;

 private:
  class Log;
  explicit GroupCommit(LogStore& store);
  bool settle();
  bool feed_what_was_in_doubt();
  void write(std::vector<Log*>& logs, std::vector<Batch>& records);
  void run(std::chrono::milliseconds retry);

  LogStore& store_;
  LogListener* listener_ = nullptr;
  std::vector<std::unique_ptr<Log>> logs_;
  bool sound_ = true;  // the stepping thread's: the last write or settle succeeded

  std::mutex mutex_;  // what waits in the logs, and:
  std::condition_variable appended_;
  bool work_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace souk
