#pragma once
/// What group commit stands on: a store that takes the records of many shards in one synced write.
#include <vector>

#include "events/journal/journal.h"

namespace souk {

class LogStore : public Journal {
 public:
  /// Makes all durable, each at its offset, all or none as far as it can be known: on ok they
  /// survive a power cut.
  /// Errors: after one it is unknown whether they are there; nothing more is written before
  ///         `settle` succeeded.
  /// Thread: one writer.
  /// Source: rocksdb::WriteOptions::sync (fdatasync).
  virtual Status put(const std::vector<Batch>& records) = 0;
  /// Once ok, what `read` shows is all that there will ever be.
  /// Errors: unavailable, full: the disk still fails; try again later. Thread: the writer's.
  virtual Status settle() = 0;
  /// The last record of a shard. False: there is none. Thread: any.
  virtual Result<bool, Fault> last(ShardId shard, const Visit& visit) = 0;
};

}  // namespace souk
