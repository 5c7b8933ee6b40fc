#pragma once
/// A log outside of this process that several nodes write to and read, a partition for each shard:
/// a topic of Kafka. No more of it than SharedLogs stands on.
#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "events/batch.h"
#include "events/ids.h"
#include "events/result.h"

namespace souk {

class LogBroker {
 public:
  /// What became of a record that was produced.
  struct Report {
    ShardId shard;
    std::uint64_t tag = 0;  // of produce()
    /// Where it stands, on as many brokers as the topic demands; 0: it failed, or nobody can say -
    /// it may be there, or come yet.
    Offset offset = 0;
    std::string_view why;  // offset 0
  };

  /// Hears all that poll() finds, inside of it.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void reported(const Report& report) = 0;
    /// A record of a shard that is read.
    virtual void arrived(ShardId shard, Offset offset, std::string_view bytes) = 0;
    /// The log does not have what was asked for, or not any more. Nothing more arrives of it.
    virtual void reading_failed(ShardId shard, const Fault& why) = 0;
  };

  virtual ~LogBroker() = default;

  /// Sends a record to the end of the shard's log, behind those that were sent before. Each is
  /// reported once. Does not wait. Thread: any, one at a time per shard.
  virtual void produce(ShardId shard, std::uint64_t tag, std::string_view bytes) = 0;
  /// From now on the records of the shard arrive, from offset `from` on, in order. Thread: poll's.
  virtual void read(ShardId shard, Offset from) = 0;
  /// Thread: poll's.
  virtual void stop_reading(ShardId shard) = 0;
  /// Tells `listener` what there is; where there is nothing it waits for it, until `patience` is
  /// over or somebody calls wake(). Thread: one.
  virtual void poll(std::chrono::milliseconds patience, Listener& listener) = 0;
  /// Thread: any.
  virtual void wake() = 0;
  /// Of each shard, behind the last record that every reader can see. Errors: unavailable. Blocks,
  /// for seconds.
  virtual Result<std::vector<Offset>, Fault> ends() = 0;
  /// ShardLog::part_bytes.
  virtual std::size_t part_bytes() const = 0;
};

}  // namespace souk
