#pragma once
/// The logs of all shards of a node, as those see them who read and do not own: read models, SQL,
/// the audit. Owners write, and read their own, through events/journal/shard_log.h.
#include <functional>
#include <string_view>

#include "events/batch.h"
#include "events/ids.h"
#include "events/result.h"

namespace souk {

class Journal {
 public:
  /// One record; return false to stop. `bytes` lives for the call only.
  using Visit = std::function<bool(Offset offset, std::string_view bytes)>;

  virtual ~Journal() = default;

  /// Visits the records of `shard` in order, from `from` on.
  /// Errors: unavailable; corrupt where stored bytes fail their checksum.
  /// Thread: any.
  virtual Status read(ShardId shard, Offset from, const Visit& visit) = 0;
  /// As read, from behind the last record that ends before event `from`: so first come the claims
  /// that stand before the record that holds it.
  virtual Status scan(ShardId shard, Seq from, const Visit& visit) = 0;
};

}  // namespace souk
