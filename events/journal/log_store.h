#pragma once
/// What group commit stands on: a store that takes the records of many shards in one synced write.
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "events/ids.h"
#include "events/log_fold.h"
#include "events/result.h"

namespace souk {

struct LogEntry {
  ShardId shard;
  Offset offset = 0;
  std::string bytes;
};

class LogStore {
 public:
  using Visit = std::function<bool(Offset offset, std::string_view bytes)>;
  virtual ~LogStore() = default;

  /// Makes all durable, all or none as far as it can be known.
  /// Errors: after one it is unknown whether they are there; nothing more is written before
  /// `settle`
  ///         succeeded. Thread: one writer.
  virtual Status put(const std::vector<LogEntry>& entries) = 0;
  /// Once ok, what `read` shows is all that there will ever be. Thread: the writer's.
  virtual Status settle() = 0;
  /// Visits records in order, from `from` on. Errors: unavailable, corrupt. Thread: any.
  virtual Status read(ShardId shard, Offset from, const Visit& visit) = 0;
  /// The last record of a shard. False: there is none. Thread: any.
  virtual Result<bool, Fault> last(ShardId shard, const Visit& visit) = 0;
};

}  // namespace souk
