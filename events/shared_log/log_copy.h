#pragma once
/// What a node has on its own disk of a log that is shared: the records of the shards that it
/// follows, each under its offset, and how far they are folded. A cache: what it lost is read again
/// from the log.
#include <span>
#include <utility>

#include "events/journal/journal.h"
#include "events/log_fold.h"

namespace souk {

class LogCopy {
 public:
  virtual ~LogCopy() = default;

  struct Record {
    ShardId shard;
    Offset offset = 0;
    std::string_view bytes;
  };
  using Place = std::pair<ShardId, FoldState>;

  /// Keeps records and the places behind them, all or none. Not synced: after a crash it has a
  /// prefix of what was put. Errors: full, unavailable; nothing more is put before `settle`
  /// succeeded. Thread: one writer.
  virtual Status keep(std::span<const Record> records, std::span<const Place> places) = 0;
  /// Behind the last record of the shard; that of an empty log where it has none.
  /// Errors: corrupt, unavailable. Thread: the writer's.
  virtual Result<FoldState, Fault> place(ShardId shard) = 0;
  /// Once ok it can be written again; it may have lost its end. Errors: unavailable, full: the disk
  /// still fails. Thread: the writer's.
  virtual Status settle() = 0;
  /// Journal::read.
  virtual Status read(ShardId shard, Offset from, const Journal::Visit& visit) = 0;
};

/// Where the fold of a shared log begins: an owner needs a claim, and offsets have no holes.
inline FoldState shared_log_begin() {
  FoldState state;
  state.rules = LogRules::claims;
  state.next_offset = 1;
  return state;
}

}  // namespace souk
