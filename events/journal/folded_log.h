#pragma once
/// Reads what counts of a shard's log: a scan of the journal through the fold.
#include <functional>
#include <vector>

#include "events/journal/journal.h"
#include "events/log_fold.h"

namespace souk {

/// How a fold goes on after a record. `stop_before`: as if the record had not been read.
enum class Visited : std::uint8_t { go_on, stop, stop_before };

/// What the fold of a shard's log has gone through.
struct FoldCounts {
  std::uint64_t records = 0;  // of events, that count
  std::uint64_t skipped = 0;
  Offset last = 0;  // where the last of `records` stands
};

/// Reads one shard's log from an offset on: ShardLog::tail, or Journal::read.
using LogTail = std::function<Status(Offset from, const Journal::Visit& visit)>;

/// Visits each record whose events count, from where `state` stands, and moves `state` behind it
/// once the visit is over without a fault.
/// Errors: what `visit` returns; unavailable; corrupt and unsupported, with shard and record.
using VisitCounted = std::function<Result<Visited, Fault>(const BatchHeader& header,
                                                          const std::vector<Transaction>& events)>;
Status fold_log(Journal& journal, ShardId shard, FoldState& state, const VisitCounted& visit,
                FoldCounts* counts = nullptr);
/// The same from `state.next_offset` on.
Status fold_log(const LogTail& tail, ShardId shard, FoldState& state, const VisitCounted& visit,
                FoldCounts* counts = nullptr);

/// The state of a reader that joins the log of a shard at event `from` without a state of its own.
/// It begins a little before, so that of records that do not count the most are known as such; of
/// what is before `from` nothing is to be applied.
FoldState joined_before(Seq from);

/// Checks that the journal has the record that ends at `seq` with this chain, if that is known.
/// `who`: what knows of that record, as an operator finds it in the data directory: "states/".
/// Errors: mismatch, in words for an operator: what is missing and what to do; corrupt;
/// unavailable.
Status check_anchor(Journal& journal, ShardId shard, Seq seq, std::optional<std::uint64_t> chain,
                    const std::string& who);
/// The same where it is known about where that record stands: behind `from`. Returns where.
Result<Offset, Fault> find_anchor(const LogTail& tail, Offset from, ShardId shard, Seq seq,
                                  std::optional<std::uint64_t> chain, const std::string& who);

/// The fault with the place at which it was met.
Fault at_record(const Fault& fault, ShardId shard, Offset offset);

}  // namespace souk
