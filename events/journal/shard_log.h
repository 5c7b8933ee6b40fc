#pragma once
/// The log of one shard, as its owner and those who follow it see it: on one node a part of the
/// journal, in a cluster a partition.
#include <chrono>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "events/batch.h"
#include "events/ids.h"
#include "events/log_fold.h"
#include "events/result.h"

namespace souk {

/// Counts the appends of one log since it was opened, from 1.
using LogTicket = std::uint64_t;

/// From here on what is appended counts.
struct LogOpened {
  std::uint64_t epoch = 0;
  Offset end = 0;  // behind the claim or transfer that opened it
};

struct LogAck {
  LogTicket ticket = 0;
  Offset offset = 0;
};

/// Hears what becomes of the appends of all logs.
/// Thread: the logs' own; must not block.
class LogListener {
 public:
  virtual ~LogListener() = default;
  /// Durable, in the order of the tickets, at dense offsets.
  virtual void landed(ShardId shard, const std::vector<LogAck>& acks) = 0;
  /// What was appended and is not acknowledged may or may not be in the log, and nothing more will
  /// be acknowledged before the next claim. Other shards are not concerned.
  virtual void doubted(ShardId shard, const Fault& why) = 0;
  /// After its acks: the records of events that one write made durable, each with its offset.
  virtual void written(std::vector<Batch>&&, std::chrono::nanoseconds /*took*/) {}
  /// Records of a write in doubt that turned out to be there; before all that is written later.
  virtual void found(std::vector<Batch>&&) {}
  /// In a cluster: records that others wrote are here, the log's place is behind them. Nothing of it
  /// is open here.
  virtual void followed(ShardId /*shard*/, const FoldState& /*place*/) {}
  /// In a cluster: the log's owner named this node in its place. As ShardLog::Claimed of a claim.
  virtual void given(ShardId /*shard*/, const LogOpened& /*opened*/) {}
  /// Around all that is told of one write, or one try to settle.
  virtual void begins() {}
  virtual void ends() {}
};

class ShardLog {
 public:
  using Visit = std::function<bool(Offset offset, std::string_view bytes)>;
  using Claimed = LogOpened;
  using ClaimDone = std::function<void(Result<Claimed, Fault>)>;

  virtual ~ShardLog() = default;

  /// Appends one record behind those that were appended before; the log says at which offset, of
  /// one in parts that of the last. Does not wait: many may be under way, and are written after the
  /// next ShardLogs::flush. In doubt the record is dropped, or lands before the next claim, or is
  /// one that does not count. Thread: any, one at a time per shard.
  virtual LogTicket append(Batch record) = 0;
  /// Makes `incarnation` the owner, in an epoch that is higher than any of the log. What then
  /// stands before `Claimed::end` is all that ever counts of former epochs, so it decides every
  /// doubt: read it with `tail`. `done` comes on the logs' own thread, between `begins` and `ends`
  /// of the listener, once the claim is durable; after a fault of the disk it waits until the disk
  /// is sound. Errors: unavailable: the log is being closed.
  virtual void claim(std::uint64_t incarnation, ClaimDone done) = 0;
  /// Visits the records from `from` on, as far as they are durable now.
  /// Errors: unavailable; corrupt. Thread: any.
  virtual Status tail(Offset from, const Visit& visit) = 0;
  /// In a cluster: whether what others write is read here as it comes, while the log is not open.
  /// Before it is asked for, only what a claim needs is. Thread: any.
  virtual void follow(bool /*whether*/) {}
  /// Whether nobody else can write to this log while it is open. Where somebody can, only a record
  /// that lands tells an owner that it still is one: a reply that rests on no record waits for the
  /// next, a no-op if there is none.
  virtual bool alone() const = 0;
  /// So many records of it are to be under way at most; what is decided meanwhile is the next one.
  virtual std::size_t under_way_max() const { return SIZE_MAX; }
  /// A record with more payload than that stands in the log in parts of so many bytes
  /// (events/log_records.h), each at an offset of its own. 0: none does.
  virtual std::size_t part_bytes() const { return 0; }
};

/// The logs of all shards of a node.
/// Lifecycle: start, then appends and claims, then stop.
class ShardLogs {
 public:
  virtual ~ShardLogs() = default;
  virtual ShardLog& log(ShardId shard) = 0;
  /// So many records of all shards of one host are to be under way at most. Where each has a price of
  /// its own, few large ones cost less than many small ones.
  virtual std::size_t under_way_max() const { return SIZE_MAX; }
  /// From now on what is appended is written, and `listener` hears of it, until stop().
  virtual void start(LogListener& listener) = 0;
  /// What was appended until now is to be written, as one write where that can be: once a turn.
  /// Thread: any.
  virtual void flush() = 0;
  /// Claims that wait are refused; records that wait are dropped. `listener` hears nothing more.
  virtual void stop() = 0;
};

}  // namespace souk
