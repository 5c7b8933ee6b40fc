#pragma once
/// The owner of a shard: decides on the entities of its replica, records what it decided, and lets
/// out what came of it once that is durable. It knows no CAF, disk or thread; a driver
/// (actors/host/host_core.h) feeds it and carries away what it puts out.
///
/// Its parts, each with an invariant of its own:
///   Replica         the fold of the log: entities, recovery
///   Residency       which entities are in memory, what the state store has (within the replica)
///   Recorder        what is decided and not in the log yet
///   CommitGate      what waits for a commit to leave
///   Undecided       requests that must be answered truthfully also when a commit is in doubt
///   WaitingRoom     inputs that wait for a load or a position; Quotes: for a price
///   Admission       the checks ahead of a command, by the table of policies
///   OrderProcesses, UserProcesses, StockSteps   what is owed until it is answered
///
/// Lifecycle: recover() -> claim() -> claimed() -> { handle, loaded, tick, cut, landed }*; a doubt
///   leads through doubted() to another claim. Who follows, and does not own yet, reads and decides
///   nothing.
/// Invariants:
///  - the entities in memory are *tentative*: ahead of the log by what is cut or pending;
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
#include "events/journal/shard_log.h"

namespace souk {

/// An append that is not acknowledged for so long is in doubt: longer than a disk stalls, shorter
/// than the edge waits.
inline constexpr std::int64_t append_overdue_ms = 5'000;

/// Who lost a shard that it still should own claims it again after this: whoever assigned it may
/// say otherwise by then.
inline constexpr std::int64_t claim_again_ms = 300;

class Owner {
 public:
  /// `log`: what the shard has written; it is read here, and appended to and claimed by the driver.
  Owner(ShardId id, const ShardContext& context, ShardOutput& output, ShardLog& log);

  /// Forgets all and rebuilds it: states of the last checkpoint, then all of the log's tail.
  /// Errors: corrupt, unavailable, mismatch: then nothing can be read here until it succeeds.
  Status recover(RecoveryReport& report);
  /// Asks for the shard, through the output's `claims`. Commands wait until it is claimed().
  void claim();
  /// In a cluster: what this node shall do with the shard.
  void assign(const Assignment& assignment);
  /// In a cluster: others went on with the log, which can be read.
  void followed();
  /// In a cluster: its owner gave it to this node; as claimed().
  Status given(const ShardLog::Claimed& given);
  /// The claim is in the log, and with it all that was in doubt is decided: folds it, answers those
  /// who wait by what landed, takes up what orders and users owe, and owns.
  /// Errors: as recover(): retry() later.
  Status claimed(const ShardLog::Claimed& claimed);
  /// Tries again what could not be read: the log up to the claim, or what is committed.
  Status retry();

  void handle(ShardInput&& input);
  /// A message of another shard, or of this one.
  void handle(Envelope&& message);
  /// Of many inputs that come next, before the first is handled: brings their entities from memory
  /// into the cache, all at once and not one after the other. In three rounds; `hash`: table_hash.
  enum class Prefetch : std::uint8_t { chain, entity, inside };
  void prefetch(Kind kind, std::uint64_t hash, Prefetch round) const;
  /// The store's answer to a load; nothing: there is no such entity.
  void loaded(const EntityKey& entity, std::optional<StoredState>&& state);
  void load_failed(const EntityKey& entity);
  /// The store has it, and cannot give it: what waits for it waits until the log was folded.
  void load_damaged(const EntityKey& entity);
  /// The answer to ShardOutput::Refold `number`.
  void folded_anew(const EntityKey& entity, std::uint64_t number,
                   Result<std::optional<StoredState>, Fault>&& state);
  void tick();

  /// What was decided since the last cut, as records to be appended to the log; a no-op where
  /// replies wait for a record and there is none.
  void cut(std::vector<Batch>& out);
  /// The log acknowledged the records from offset `first` to `last`.
  void landed(Offset first, Offset last);
  /// What was appended and not acknowledged may or may not be in the log. Takes nothing more before
  /// the next claim says; reads go on with what is committed.
  void doubted();

  /// Begins to write all that is dirty and then a checkpoint; checkpoint_step() goes on with it, at
  /// most about `bytes_max` at a time (Residency::round_step). Returns how many these were.
  void start_checkpoint();
  std::size_t checkpoint_step(std::size_t bytes_max);
  /// Whether a step would do something now.
  bool checkpoint_waits() const { return keeps_states() && replica_.residency().round_waits(); }
  void states_written(std::uint64_t round, const std::vector<std::pair<EntityKey, Seq>>& written,
                      const std::optional<Checkpoint>& checkpoint);
  /// The state store is of a later generation than what is known of it here.
  /// Errors: as recover(): what comes from the store is not to be used until it succeeds.
  Status states_reopened() { return replica_.reopened(tail()); }
  void flush_failed(std::uint64_t round) { entities_.flush_failed(round); }

  /// The committed price of a SKU, where it can be had without waiting.
  std::optional<Quote> quote_if_ready(const Sku& sku);

  ShardId id() const { return id_; }
  Seq last_seq() const { return recorder_.last_seq(); }
  Seq committed_seq() const { return gate_.committed(); }
  std::uint64_t epoch() const { return recorder_.epoch(); }
  std::uint64_t chain() const { return recorder_.chain(); }
  bool owns() const { return standing_ == Standing::owns; }
  /// Records that are not acknowledged; none where the first was appended before that.
  std::size_t under_way_since(UnixMs then) const;
  /// It hands the shard over: its next record waits for none.
  bool gives() const { return giving_.has_value(); }
  /// It was recovered.
  bool readable() const { return readable_; }
  /// In a cluster: it owns or follows; else what it has of the shard is old.
  bool present() const { return !left_; }
  /// It should own, and does not.
  bool suspended() const { return assigned_ && !owns(); }
  /// Its states are committed: they may be written to the store.
  bool keeps_states() const {
    return owns() || (context_.options.clustered && standing_ == Standing::follows && readable_ &&
                      !in_doubt_);
  }
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
  void hold(Request&& request);
  void process(ShardInput&& input);
  /// Whether all that `input` needs is there; else it is parked.
  enum class Ready : std::uint8_t { no, yes };
  Ready park_unless_ready(ShardInput& input, const EntityKey& target);
  Ready fetch(const EntityKey& key);
  void arrived(const EntityKey& entity);
  void drain(const EntityKey& target);
  void give_up(const std::vector<EntityKey>& targets);

  void request(Request& request, const EntityKey& target);
  void command(Request& request);
  void answered(const ProcessAnswer& answer);
  void quote_wanted(const QuoteWanted& wanted);
  void quote_came(QuoteReady&& ready);
  /// The first that waits for prices at `target` hears that they do not come.
  void give_up_quote(const EntityKey& target);

  LogTail tail();
  void forget();
  void put_in_doubt();
  void set_aside();
  Status fold_on(Offset end);
  Status decide();
  void own();
  void lose();
  void hand_over_to(const Assignment& to);
  void stand_down(Offset transfer);
  void stray(Request&& request);
  void stray_begun(Request&& request) {
    request.begun = true;
    stray(std::move(request));
  }
  void stray_waiters();
  void leave_if_settled();
  void copies_age();
  /// It is to be handled by another node.
  bool elsewhere() const {
    return context_.options.clustered && (giving_ || !(owns() || assigned_));
  }
  /// A read that may be old is answered by whoever has the shard.
  bool answers_here(const Request& request) const {
    return readable_ && !left_ && request.level == ReadLevel::standby && is_read(request.op);
  }
  bool answers_here(const ShardInput& input) const {
    const auto* request = std::get_if<Request>(&input);
    return request && answers_here(*request);
  }
  /// Owns, and may record.
  bool acts() const { return owns() && !giving_; }
  void run_decided(Seq landed);
  void give_up_the_late(UnixMs now);
  void committed(Seq seq);
  void fire(const EntityKey& entity, UnixMs time);
  /// It has work to do or money to see to: never evicted, loaded at recovery.
  bool active(const EntityKey& key);

  const ShardId id_;
  const ShardContext& context_;
  ShardOutput& output_;
  ShardLog& log_;
  ShardClock clock_;
  Outbox outbox_;
  PeerEpochs peers_;

  Replica replica_;
  Residency& entities_;
  Recorder recorder_;
  CommitGate gate_;
  Undecided undecided_;
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

  /// Appended, and not acknowledged.
  struct UnderWay {
    Offset offset = 0;  // where it must land
    Seq last_seq = 0;
    std::uint64_t chain = 0;
    std::uint64_t barred = 0;  // so many replies wait for this record or one before it
    bool noop = false;         // or a transfer: without events
    UnixMs since;
  };
  enum class Standing : std::uint8_t { follows, claims, owns } standing_ = Standing::follows;
  bool assigned_ = true;   // this node shall own it
  bool away_ = true;       // in a cluster: it is to be left
  bool left_ = true;       // in a cluster: its log is not followed
  bool asks_ = false;      // whether it still does, by a no-op
  bool in_doubt_ = false;  // what of its own is in the log is not known
  Seq landed_ = 0;         // in doubt: all of its own to there is
  std::optional<Assignment> giving_;
  std::optional<Assignment> gives_next_;  // once its claim is decided
  Offset transfer_ = 0;  // while it is giving: where that record must land; 0: not cut yet
  UnixMs claim_again_at_;
  std::optional<ShardLog::Claimed> claimed_;  // and not decided yet
  Fifo<UnderWay> under_way_;
  Offset committed_end_ = 0;  // behind the last record that was acknowledged or folded
  bool readable_ = false;     // recovered
  UnixMs checkpoint_at_;      // when the last one ended
  std::uint64_t loads_ = 0, checkpoints_ = 0;
  std::unordered_map<EntityKey, std::uint64_t> refolds_;  // under way, by their number
  std::uint64_t refolds_sent_ = 0;
};

}  // namespace souk
