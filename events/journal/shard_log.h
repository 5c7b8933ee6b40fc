#pragma once
/// The log of one shard, as its owner and those who follow it see it: on one node a part of the
/// journal, in a cluster a partition.
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "events/ids.h"
#include "events/log_fold.h"
#include "events/result.h"

namespace souk {

/// Counts the appends of one log since it was opened, from 1.
using Ticket = std::uint64_t;

struct LogAck {
  Ticket ticket = 0;
  Offset offset = 0;
};

/// The owner of a shard hears here what became of its appends.
/// Thread: the log's own; must not block.
class LogListener {
 public:
  virtual ~LogListener() = default;
  /// Durable, in the order of the tickets, at dense offsets.
  virtual void landed(ShardId shard, const std::vector<LogAck>& acks) = 0;
  /// What was appended and is not acknowledged may or may not be in the log, and nothing more will
  /// be acknowledged before the next claim. Other shards are not concerned.
  virtual void doubted(ShardId shard, const Fault& why) = 0;
};

class ShardLog {
 public:
  using Visit = std::function<bool(Offset offset, std::string_view bytes)>;
  struct Claimed {
    std::uint64_t epoch = 0;
    Offset end = 0;  // the offset behind the claim
  };
  using ClaimDone = std::function<void(Result<Claimed, Fault>)>;

  virtual ~ShardLog() = default;

  /// Appends one record (events/batch.h) behind those that were appended before. Does not wait:
  /// many may be under way. In doubt the record is dropped, or lands before the next claim. Thread:
  /// any, one at a time per shard.
  virtual Ticket append(std::string record) = 0;
  /// Makes `incarnation` the owner, in an epoch that is higher than any of the log. What then
  /// stands before `Claimed::end` is all that ever counts of former epochs, so it decides every
  /// doubt: read it with `tail`. `done` comes on the log's own thread, once the claim is durable;
  /// after a fault of the disk it waits until the disk is sound. Errors: unavailable: the log is
  /// being closed.
  virtual void claim(std::uint64_t incarnation, ClaimDone done) = 0;
  /// Visits the records from `from` on, as far as they are durable now.
  /// Errors: unavailable; corrupt. Thread: any.
  virtual Status tail(Offset from, const Visit& visit) = 0;
  /// Calls `done` once it is sure that nobody else owned the shard when this was called: a reply
  /// that rests on no pending record may then go out. One node knows at once; a cluster appends a
  /// no-op.
  virtual void barrier(std::function<void(Status)> done) = 0;
};

}  // namespace souk
