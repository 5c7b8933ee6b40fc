#pragma once
/// Nothing leaves a shard before the event that it rests on is durable.
///
/// Invariants: what is held rests on seqs in (committed(), last recorded]; it leaves in the order in
///   which it came, and `committed()` only grows between two calls of begin_at(). A reply that rests
///   on nothing that is held leaves at once where nobody else can own the shard; else only after a
///   barrier of the log, since another owner may have written what it did not see.
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

  enum class Barriers : std::uint8_t { passed, awaited };
  CommitGate(ShardOutput& output, Outbox& outbox, Barriers barriers = Barriers::passed)
      : output_(output), outbox_(outbox), barriers_(barriers) {}

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

  // ---- barriers ----
  /// How many replies were made to wait for one so far; 0: none waits.
  std::uint64_t barred() const { return barred_.empty() ? 0 : barred_count_; }
  /// The first `count` of them leave.
  void pass_barrier(std::uint64_t count);
  /// They come back to the caller.
  std::vector<AddressedReply> take_barred();

  /// After a recovery. REQUIRES: nothing is held.
  void begin_at(Seq committed);

  /// It owes nothing to anything.
  void put_out(Effect&& effect);

 private:
  void release();

  ShardOutput& output_;
  Outbox& outbox_;
  const Barriers barriers_;
  Seq committed_ = 0;
  Fifo<AddressedReply> barred_;
  std::uint64_t barred_count_ = 0;
  Fifo<Held> held_;
};

}  // namespace souk
