#pragma once
/// The journal's port. One adapter on one node (RocksDB); a Kafka log fits behind it as well:
/// writes are asynchronous, acknowledged in order, and a failed one is *unknown* until a barrier
/// settles it.
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "events/batch.h"
#include "events/ids.h"
#include "events/result.h"

namespace souk {

class Journal {
 public:
  using WriteDone = std::function<void(Status)>;
  /// One record; return false to stop. `bytes` lives for the call only.
  using Visit = std::function<bool(Seq first_seq, std::string_view bytes)>;

  virtual ~Journal() = default;

  /// Makes all `batches` durable in one commit, all or none as far as it can be known, and says so
  /// through `done`: on ok they survive a power cut.
  ///
  /// Errors: after an error it is unknown whether the batches are there. Nothing more may be
  ///         written before `settle` succeeded.
  /// Thread: the journal actor's only; one write at a time; `done` may run inside the call.
  /// Source: rocksdb::WriteOptions::sync (fdatasync).
  virtual void write(const std::vector<Batch>& batches, WriteDone done) = 0;

  /// The barrier after a failed write: once ok, what `scan` shows is all that ever will be there.
  /// Errors: unavailable, full: the disk still fails; try again later.
  /// Thread: as write.
  virtual Status settle() = 0;

  /// Visits the records of `shard` in order, from the one that holds `from`.
  /// Errors: unavailable; corrupt where stored bytes fail their checksum.
  /// Thread: any.
  virtual Status scan(ShardId shard, Seq from, const Visit& visit) = 0;
};

}  // namespace souk
