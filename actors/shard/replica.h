#pragma once
/// The fold of one shard's log: entities as they are after the event `seq()`. It decides nothing
/// and sends nothing; an owner puts its own events in, a recovery (and a standby) those of the log.
///
/// Lifecycle: recover() -> apply()*; recover() again forgets all.
/// Invariants: events go in by seq without holes; the entities are the fold of all up to seq(); an
///   entity whose stored state is newer than an event ignores it.
/// Thread: its shard's.
#include "actors/shard/fold.h"
#include "actors/shard/residency.h"
#include "events/journal/journal.h"

namespace souk {

class Replica {
 public:
  Replica(ShardId id, const ShardContext& context, ShardClock& clock)
      : id_(id), context_(context), clock_(clock), residency_(id, context.states) {}

  /// Forgets all and rebuilds it: states of the last checkpoint, then the journal's tail; where a
  /// state is damaged, the whole journal without them, and all of it is written again.
  /// Errors: corrupt, unsupported, unavailable: then it is empty, at seq 0.
  Status recover(Journal& journal, RecoveryReport& report);
  /// The state store was opened anew, and may lack the end of what was written: what is lost of it
  /// is folded from the log, and written again. Costs a scan from its checkpoint to the newest
  /// state that was in it.
  /// Errors: as recover(): then nothing has changed.
  Status reopened(Journal& journal);

  /// The event at `index` of `transaction` is the shard's next, seq() + 1.
  void apply(const Transaction& transaction, std::size_t index);

  Seq seq() const { return seq_; }
  /// Of the log where the last recovery ended.
  std::uint64_t chain() const { return chain_; }
  std::uint64_t epoch() const { return epoch_; }

  Residency& residency() { return residency_; }
  const Residency& residency() const { return residency_; }
  template <class State>
  Hosted<State>* find(const typename HostedTraits<State>::Id& id) {
    return residency_.find<State>(id);
  }
  ShardId id() const { return id_; }

 private:
  Status rebuild(Journal& journal, RecoveryReport& report);
  /// Whether states that owe work are loaded, events or none.
  enum class Active : std::uint8_t { loaded, left };
  /// The store's states and the log behind its checkpoint, up to the record that holds `until`.
  Status follow(Journal& journal, RecoveryReport& report, Seq until, Active active);
  Status from_checkpoint(Journal& journal, RecoveryReport& report, Seq until, Active active,
                         std::uint64_t generation);
  void begin_at(const Checkpoint& checkpoint, std::uint64_t generation);
  Status load(const EntityKey& entity);
  Status replay(Journal& journal, RecoveryReport& report, Seq until);
  void mark(const EntityKey& entity);

  const ShardId id_;
  const ShardContext& context_;
  ShardClock& clock_;
  Residency residency_;
  AllLeft left_;  // of one event
  Seq seq_ = 0;
  std::uint64_t chain_ = 0;
  std::uint64_t epoch_ = 1;
  bool states_damaged_ = false;  // why a recovery failed
  bool without_states_ = false;  // it goes by the log alone
};

}  // namespace souk
