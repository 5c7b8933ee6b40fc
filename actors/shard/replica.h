#pragma once
/// The fold of one shard's log: entities as they are after the event `seq()`. It decides nothing
/// and sends nothing; an owner puts its own events in, a recovery (and a standby) those of the log.
///
/// Lifecycle: recover() -> { catch_up(), apply() }*; recover() again forgets all.
/// Invariants: events go in by seq without holes; the entities are the fold of all up to seq(); an
///   entity whose stored state is newer than an event ignores it.
/// Thread: its shard's.
#include <limits>

#include "actors/shard/fold.h"
#include "actors/shard/residency.h"
#include "events/journal/folded_log.h"

namespace souk {

class Replica {
 public:
  Replica(ShardId id, const ShardContext& context, ShardClock& clock)
      : id_(id), context_(context), clock_(clock), residency_(id, context.states) {}

  /// Told of each record of events that counted; of one again, where a recovery begins anew.
  using Saw = std::function<void(const BatchHeader& header)>;

  /// Forgets all and rebuilds it: states of the last checkpoint, then the log's tail up to offset
  /// `end`; where a state is damaged, the whole log without them, and all of it is written again.
  /// Errors: corrupt, unsupported, unavailable, mismatch: then it is empty, at seq 0.
  Status recover(const LogTail& tail, Offset end, RecoveryReport& report, const Saw& saw = {});
  /// Folds on to offset `end`. REQUIRES: nothing was applied since the last recover() or catch_up().
  /// Errors: as recover(); it may have folded some.
  Status catch_up(const LogTail& tail, Offset end, RecoveryReport& report, const Saw& saw = {});
  /// The state store was opened anew, and may lack the end of what was written: what is lost of it
  /// is folded from the log, and written again. Costs a scan from its checkpoint to the newest
  /// state that was in it.
  /// Errors: as recover(): then nothing has changed.
  Status reopened(const LogTail& tail);

  /// The event at `index` of `transaction` is the shard's next, seq() + 1.
  void apply(const Transaction& transaction, std::size_t index);

  /// All that was applied since is in the log, which goes on at `place`; `anchor`: as anchor().
  void stands_at(const FoldState& place, Offset anchor) {
    place_ = place;
    anchor_ = anchor;
  }

  Seq seq() const { return seq_; }
  /// Where the last recovery, or catching up, ended in the log; what was applied since is not in.
  const FoldState& place() const { return place_; }
  /// Of the last record of events before that; 0: there is none.
  Offset anchor() const { return anchor_; }

  Residency& residency() { return residency_; }
  const Residency& residency() const { return residency_; }
  template <class State>
  Hosted<State>* find(const typename HostedTraits<State>::Id& id) {
    return residency_.find<State>(id);
  }
  ShardId id() const { return id_; }

 private:
  /// How far the log is folded.
  struct Until {
    Offset end = std::numeric_limits<Offset>::max();
    Seq seq = std::numeric_limits<Seq>::max();  // the record that holds it is the last
  };
  /// Whether states that owe work are loaded, events or none.
  enum class Active : std::uint8_t { loaded, left };
  /// The store's states and the log behind its checkpoint.
  Status follow(const LogTail& tail, const Until& until, Active active, RecoveryReport& report,
                const Saw& saw);
  Status from_checkpoint(const LogTail& tail, const Until& until, Active active,
                         std::uint64_t generation, RecoveryReport& report, const Saw& saw);
  void begin_at(const Checkpoint& checkpoint, std::uint64_t generation);
  Status find_place(const Checkpoint& checkpoint, const LogTail& tail);
  Status load(const EntityKey& entity);
  Status replay(const LogTail& tail, const Until& until, RecoveryReport& report, const Saw& saw);
  void mark(const EntityKey& entity);

  const ShardId id_;
  const ShardContext& context_;
  ShardClock& clock_;
  Residency residency_;
  AllLeft left_;  // of one event
  Seq seq_ = 0;
  FoldState place_;
  Offset anchor_ = 0;
  bool states_damaged_ = false;  // why a recovery failed
  bool without_states_ = false;  // it goes by the log alone
};

}  // namespace souk
