#pragma once
/// What an owner decided and the journal does not have yet: transactions, then the records that
/// they are cut into. A fact is folded the moment it is recorded.
///
/// Invariants: committed <= cut_seq() <= last_seq(); seqs have no holes; each record goes on from
///   the chain of the one before; a record holds whole transactions, and ends at
///   limits::batch_events_max events or limits::batch_bytes_max bytes (record_end).
/// Thread: its shard's.
#include <vector>

#include "actors/shard/replica.h"
#include "events/batch.h"

namespace souk {

/// Why a transaction is: the command, and with an idempotency key what a repeat of it answers.
struct Cause {
  CommandId cause;
  Id128 correlation = {};
  std::uint64_t key_hash = 0, request_hash = 0;
  Outcome outcome = Outcome::ok;
};

class Recorder {
 public:
  /// `part_bytes`: ShardLog::part_bytes.
  Recorder(const ShardContext& context, ShardClock& clock, Replica& replica,
           std::size_t part_bytes = 0)
      : incarnation_(context.incarnation),
        part_bytes_(part_bytes),
        clock_(clock),
        replica_(replica) {}

  /// REQUIRES: `events` is not empty.
  void record(const Cause& cause, std::vector<Event>&& events);
  /// What was recorded since the last cut, as records for the log, each with the offset that it
  /// must get.
  void cut(std::vector<Batch>& out);
  /// A record of nothing. REQUIRES: all that was recorded is cut.
  Batch noop();
  /// The shard is another's behind it, in the next epoch. REQUIRES: as noop(); nothing is recorded
  /// any more.
  Batch transfer(std::uint64_t to_incarnation, std::uint64_t to_node);

  /// Goes on after what the replica has folded: its last record counted is the owner's claim, and
  /// the next one gets the offset behind it.
  void begin();
  /// What is recorded and not cut is dropped; the replica must recover.
  void drop() {
    pending_.clear();
    last_seq_ = cut_seq_;
  }

  Seq last_seq() const { return last_seq_; }
  Seq cut_seq() const { return cut_seq_; }
  std::uint64_t chain() const { return chain_; }
  std::uint64_t epoch() const { return epoch_; }
  /// A checkpoint of all that is cut.
  Checkpoint mark() const {
    return {.seq = cut_seq_,
            .chain = chain_,
            .epoch = epoch_,
            .time_ms = clock_.newest().value,
            .incarnation = owner_,
            .offset = last_offset_};
  }
  /// Of the record that ends at cut_seq().
  Offset last_offset() const { return last_offset_; }

 private:
  void cut_one(std::vector<Transaction>&& transactions, std::vector<Batch>& out);
  /// Where a record of so many bytes must land.
  Offset place(std::size_t bytes);

  const std::uint64_t incarnation_;
  const std::size_t part_bytes_;
  ShardClock& clock_;
  Replica& replica_;
  Seq last_seq_ = 0;         // tentative
  Seq cut_seq_ = 0;          // in a record
  std::uint64_t chain_ = 0;  // after cut_seq_
  std::uint64_t epoch_ = 1;
  std::uint64_t owner_ = 0;  // whose epoch it is
  Offset next_offset_ = 0;   // of the next record, where nobody else writes
  Offset last_offset_ = 0;   // of the record that ends at cut_seq_
  std::vector<Transaction> pending_;
};

}  // namespace souk
