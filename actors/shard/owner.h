#pragma once
/// The owner of a shard: decides on the entities of its replica, records what it decided, and lets
/// out what came of it once that is durable. It knows no CAF, disk or thread; a driver
/// (actors/host/host_core.h) feeds it and carries away what it puts out.
///
/// Its parts, each with an invariant of its own:
///   Replica         the fold of the log: entities, recovery
///   Residency       which entities are in memory, what the state store has (within the replica)
///   Recorder        what is decided and not in the journal yet
///   CommitGate      what waits for a commit to leave
///   WaitingRoom     inputs that wait for a load or a position; Quotes: for a price
///   Admission       the checks ahead of a command, by the table of policies
///   OrderProcesses, UserProcesses, StockSteps   what is owed until it is answered
///
/// Lifecycle: recover() -> resume() -> { handle, loaded, tick, cut, committed }*; a failed commit
///   leads through failed() to recover() and resume(Epoch::next).
/// Invariants:
///  - the entities in memory are *tentative*: ahead of the disk by what is cut or pending;
///    checkpoint <= committed <= cut <= last recorded;
///  - nothing that rests on tentative state leaves before its commit;
///  - inputs for one entity take effect in the order of their arrival, also where one has to wait.
/// Thread: its driver's.
#include "actors/shard/admission.h"
#include "actors/shard/cart_commands.h"
#include "actors/shard/envelope.h"
#include "actors/shard/quotes.h"
#include "actors/shard/reads.h"
#include "actors/shard/stock_steps.h"
#include "actors/shard/waiting_room.h"

namespace souk {

class Owner {
 public:
  Owner(ShardId id, const ShardContext& context, ShardOutput& output);

  /// Forgets all and rebuilds it: states of the last checkpoint, then the journal's tail. Who waits
  /// is answered `unavailable`.
  /// Errors: corrupt, unavailable: then nothing can be read here until it succeeds.
  Status recover(Journal& journal, RecoveryReport& report);
  /// Takes up what orders and users owe; after recover(). A new epoch where the last commit failed.
  enum class Epoch : std::uint8_t { same, next };
  void resume(Epoch epoch);

  void handle(ShardInput&& input);
  /// A message of another shard, or of this one.
  void handle(Envelope&& message);
  /// Of many inputs that come next, before the first is handled: brings their entities from memory
  /// into the cache, all at once and not one after the other. In three rounds.
  enum class Prefetch : std::uint8_t { chain, entity, inside };
  void prefetch(const EntityKey& entity, Prefetch round) const;
  /// The store's answer to a load; nothing: there is no such entity.
  void loaded(const EntityKey& entity, std::optional<StoredState>&& state);
  void load_failed(const EntityKey& entity);
  /// The store has it, and cannot give it: what waits for it waits until the log was folded.
  void load_damaged(const EntityKey& entity);
  /// The answer to ShardOutput::Refold `number`.
  void folded_anew(const EntityKey& entity, std::uint64_t number,
                   Result<std::optional<StoredState>, Fault>&& state);
  void tick();

  /// What was decided since the last cut, as records for the journal.
  void cut(std::vector<Batch>& out) { recorder_.cut(out); }
  void committed(Seq seq, std::uint64_t epoch);
  /// A commit failed: what it held is unknown. Answers `unavailable` to all who wait, drops what is
  /// tentative. Commands are refused until resume().
  void failed(std::uint64_t epoch);

  /// Begins to write all that is dirty and then a checkpoint; checkpoint_step() goes on with it, at
  /// most about `bytes_max` at a time (Residency::round_step). Returns how many these were.
  void start_checkpoint();
  std::size_t checkpoint_step(std::size_t bytes_max);
  /// Whether a step would do something now.
  bool checkpoint_waits() const { return !suspended_ && replica_.residency().round_waits(); }
  void states_written(std::uint64_t round, const std::vector<std::pair<EntityKey, Seq>>& written,
                      const std::optional<Checkpoint>& checkpoint);
  /// The state store is of a later generation than what is known of it here.
  /// Errors: as recover(): what comes from the store is not to be used until it succeeds.
  Status states_reopened(Journal& journal) { return replica_.reopened(journal); }
  void flush_failed(std::uint64_t round) { entities_.flush_failed(round); }

  /// The committed price of a SKU, where it can be had without waiting.
  std::optional<Quote> quote_if_ready(const Sku& sku);

  ShardId id() const { return id_; }
  Seq last_seq() const { return recorder_.last_seq(); }
  Seq committed_seq() const { return gate_.committed(); }
  std::uint64_t epoch() const { return recorder_.epoch(); }
  std::uint64_t chain() const { return recorder_.chain(); }
  bool suspended() const { return suspended_; }
  /// The state store has all that is committed.
  bool clean() const {
    return entities_.dirty() == 0 && !entities_.in_round() &&
           entities_.checkpoint_seq() == gate_.committed();
  }
  std::size_t works() const { return orders_.works(); }
  std::uint64_t loads() const { return loads_; }
  std::uint64_t checkpoints() const { return checkpoints_; }
  const Replica& replica() const { return replica_; }

 private:
  bool goes_on(Request& request);
  void process(ShardInput&& input);
  /// Whether all that `input` needs is there; else it is parked.
  enum class Ready : std::uint8_t { no, yes };
  Ready park_unless_ready(ShardInput& input);
  Ready fetch(const EntityKey& key);
  void arrived(const EntityKey& entity);
  void drain(const EntityKey& target);
  void give_up(const std::vector<EntityKey>& targets);

  void request(Request& request);
  void command(Request& request);
  void answered(const ProcessAnswer& answer);
  void quote_wanted(const QuoteWanted& wanted);
  void quote_came(QuoteReady&& ready);
  /// The first that waits for prices at `target` hears that they do not come.
  void give_up_quote(const EntityKey& target);

  void abandon();
  void fire(const EntityKey& entity, UnixMs time);
  /// It has work to do or money to see to: never evicted, loaded at recovery.
  bool active(const EntityKey& key);

  const ShardId id_;
  const ShardContext& context_;
  ShardOutput& output_;
  ShardClock clock_;
  Outbox outbox_;
  PeerEpochs peers_;

  Replica replica_;
  Residency& entities_;
  Recorder recorder_;
  CommitGate gate_;
  Responder responder_;
  Desk desk_;
  Timers timers_;
  WaitingRoom waiting_;
  Quotes quotes_;
  StockSteps stock_;
  OrderProcesses orders_;
  UserProcesses users_;
  Admission admission_;
  Reads reads_;

  bool suspended_ = false;  // a commit is in doubt
  bool readable_ = true;    // recovered
  UnixMs checkpoint_at_;    // when the last one ended
  std::uint64_t loads_ = 0, checkpoints_ = 0;
  std::unordered_map<EntityKey, std::uint64_t> refolds_;  // under way, by their number
  std::uint64_t refolds_sent_ = 0;
};

}  // namespace souk
