#pragma once
/// Nothing leaves a shard before the event that it rests on is durable.
///
/// Invariants: what is held rests on seqs in (committed(), last recorded]; it leaves in the order in
///   which it came, and `committed()` only grows between two calls of begin_at().
/// Thread: its shard's.
#include <optional>
#include <variant>
#include <vector>

#include "actors/shard/shard_io.h"

namespace souk {

class CommitGate {
 public:
  using Effect =
      std::variant<AddressedReply, ShardInput, PaymentCall, KeysToDestroy, ShardOutput::Flush>;

  CommitGate(ShardOutput& output, Outbox& outbox) : output_(output), outbox_(outbox) {}

  /// `effect` leaves once all up to `seq` is committed, at once where it is: it owes nothing to
  /// what is held.
  void leave(Seq seq, Effect&& effect);
  /// As leave(), but never before what was held earlier.
  void leave_in_order(Seq seq, Effect&& effect);

  Seq committed() const { return committed_; }
  /// All up to `seq` is durable: what rests on it leaves.
  void commit(Seq seq);

  struct Held {
    Seq seq = 0;
    Effect effect;
  };
  /// What is held comes back to the caller, by ascending seq: its commit is in doubt.
  std::vector<Held> take_all();
  /// Where the answer to `to` is the newest that is held: the event that it waits for.
  std::optional<Seq> newest_answer(const ReplyTo& to) const;
  /// After a recovery. REQUIRES: nothing is held.
  void begin_at(Seq committed);

 private:
  void put_out(Effect&& effect);
  void release();

  ShardOutput& output_;
  Outbox& outbox_;
  Seq committed_ = 0;
  Fifo<Held> held_;
};

}  // namespace souk
