#pragma once
/// A shard: hosts the users, SKUs, carts and orders whose key hashes to it, as plain state behind
/// pure rules. It knows no CAF, disk or thread; a driver (actors/host.h) feeds it and carries away
/// what it puts out.
///
/// Lifecycle: recover() -> { handle, deliver, loaded, tick, cut, committed }* ; a failed commit
/// leads
///            through failed() to recover() and resume().
/// Invariants:
///  - the entities in memory are *tentative*: ahead of the disk by what is cut or pending;
///  - nothing that depends on tentative state leaves before the commit that it depends on: it waits
///    in `gated_`, in the order of sequence numbers;
///  - requests for one entity take effect in the order of their arrival, also where one has to wait
///    for the disk or for another shard: later ones queue behind it in `parked_`.
/// Thread: its driver's.
#include <deque>
#include <memory>
#include <queue>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "actors/checkout/checkout.h"
#include "actors/host/engine.h"
#include "actors/ports/request.h"
#include "actors/shard/hosted.h"
#include "events/batch.h"
#include "events/freshness.h"

namespace souk {

/// For Presenter::product: without the member `available`.
inline constexpr std::int64_t stock_not_shown = -1;

/// Flushes of one checkpoint that the store may have before it: what is encoded waits in memory.
inline constexpr std::size_t checkpoint_flushes_max = 4;
inline constexpr std::size_t checkpoint_bytes_per_state = 512;
inline constexpr std::size_t evict_looks_per_tick = 256;

/// The answer to a process of one of our entities (an order's check-out, a user's address).
struct EmailAnswer {
  EmailHash email;
  std::size_t op = 0;  // ClaimEmail or FreeEmail
  ReplyCode code = ReplyCode::ok;
};
struct KeysDestroyed {};
struct ProcessAnswer {
  EntityKey entity;
  std::variant<StockAnswer, PaymentAnswer, EmailAnswer, KeysDestroyed> answer;
};

/// The catalogue of another shard is asked for a quote; `target` waits for it.
struct QuoteWanted {
  Sku sku;
  EntityKey target;
};
struct QuoteReady {
  EntityKey target;
  Sku sku;
  std::optional<Quote> quote;  // none: the catalogue cannot be read now
};

using ShardInput = std::variant<Request, ProcessAnswer, QuoteWanted, QuoteReady>;
/// The entity whose shard an input is for.
EntityKey target_of(const ShardInput& input);

/// What shards put out during one turn of their driver.
struct ShardOutput {
  std::vector<std::pair<std::uint16_t, Reply>> replies;  // sink, reply
  std::deque<ShardInput> inputs;                         // for the shards of their targets
  std::vector<PaymentCall> payments;
  std::vector<std::pair<EntityKey, std::vector<PersonId>>> keys_to_destroy;  // user, whose keys
  std::vector<std::pair<ShardId, EntityKey>> loads;
  struct Flush {
    ShardId shard;
    std::uint64_t round = 0;  // of the shard's checkpoints
    std::vector<StateWrite> states;
    std::optional<Checkpoint> checkpoint;
  };
  std::vector<Flush> flushes;
};

/// What a shard asks of the node around it.
struct ShardContext {
  const EngineOptions& options;
  StateStore& states;
  Clock& clock;
  Randomness& randomness;
  const Presenter& presenter;
  std::uint64_t incarnation = 0;
  /// The catalogue's word on a SKU, where it can be had at once (committed, in memory, same
  /// driver).
  std::function<std::optional<Quote>(const Sku&)> quote_now;
  Freshness* freshness = nullptr;  // none: nobody keeps copies
};

class Shard {
 public:
  Shard(ShardId id, const ShardContext& context, ShardOutput& output);
  ~Shard();

  /// Forgets all and rebuilds it: states of the last checkpoint, then the journal's tail. Who waits
  /// is answered `unavailable`.
  /// Errors: corrupt, unavailable: then nothing can be read here until it succeeds.
  Status recover(Journal& journal, RecoveryReport& report);
  /// Takes up what orders and users owe; after recover(). A new epoch where the last commit failed.
  enum class Epoch : std::uint8_t { same, next };
  void resume(Epoch epoch);

  void handle(ShardInput&& input);
  /// Of many commands that come next, before the first is handled: brings their carts from memory
  /// into the cache, all at once and not one after the other. In two rounds.
  enum class Prefetch : std::uint8_t { chain, entity };
  void prefetch(const CartId& cart, Prefetch round) const;
  /// The store's answer to a load; nothing: there is no such entity.
  void loaded(const EntityKey& entity, std::optional<StoredState>&& state);
  void load_failed(const EntityKey& entity);
  void tick();

  /// What was decided since the last cut, as records for the journal.
  void cut(std::vector<Batch>& out);
  void committed(Seq seq, std::uint64_t epoch);
  /// A commit failed: what it held is unknown. Answers `unavailable` to all who wait, drops what is
  /// tentative. Commands are refused until resume().
  void failed(std::uint64_t epoch);
  void states_written(std::uint64_t round, const std::vector<std::pair<EntityKey, Seq>>& written,
                      const std::optional<Checkpoint>& checkpoint);
  /// Begins to write all that is dirty and then a checkpoint; checkpoint_step() goes on with it, at
  /// most about `bytes_max` at a time, each state counted with checkpoint_bytes_per_state more.
  /// Returns how many these were.
  void start_checkpoint();
  std::size_t checkpoint_step(std::size_t bytes_max);
  /// Whether a step would do something now.
  bool checkpoint_waits() const {
    return round_ && !round_->mark_sent && !suspended_ &&
           (round_->todo.empty() ? round_->flushes == 0 : round_->flushes < checkpoint_flushes_max);
  }
  void flush_failed(std::uint64_t round);

  std::optional<Quote> quote_if_ready(const Sku& sku);

  ShardId id() const { return id_; }
  Seq last_seq() const { return last_seq_; }
  Seq committed_seq() const { return committed_; }
  std::uint64_t epoch() const { return epoch_; }
  bool suspended() const { return suspended_; }
  bool clean() const { return dirty_ == 0 && !round_ && checkpoint_seq_ == committed_; }
  std::size_t entities() const;
  std::size_t memory_bytes() const { return memory_bytes_; }
  std::size_t works() const { return works_.size(); }
  struct Counts {
    std::uint64_t evictions = 0, loads = 0, checkpoints = 0, states_written = 0;
  };
  const Counts& counts() const { return counts_; }

  // ---- for auditors and tests: visits committed and tentative state alike ----
  /// Brings the entity's stored state into memory, unless it is there already. Blocks for the disk.
  Status load(const EntityKey& entity) { return load_now(entity); }
  template <class State, class F>
  void each(const F& visit) const;
  /// Only the one named, where it is there.
  template <class State, class F>
  void each_one(const typename HostedTraits<State>::Id& id, const F& visit) const {
    if (const auto* h = tables_.of<State>().find(id)) visit(h->state);
  }
  std::uint64_t chain() const { return chain_; }

 private:
  struct OrdersPage {
    std::vector<OrderId> ids;  // newest first
    bool more = false;
  };
  static OrdersPage orders_page(const User& user, const GetUserOrders& query);

  enum class Presence : std::uint8_t { here, absent, coming };

  struct Gated {
    Seq seq = 0;
    std::variant<std::pair<std::uint16_t, Reply>, ShardInput, PaymentCall,
                 std::pair<EntityKey, std::vector<PersonId>>, ShardOutput::Flush>
        what;
  };
  enum class Replayed : std::uint8_t { no, yes };
  enum class Awaits : std::uint8_t { nothing, address };
  struct FinalWaiter {
    Request request;
    Version version = 0;  // of the answer
    UnixMs until;
    Replayed replayed = Replayed::no;
    Awaits awaits = Awaits::nothing;  // of a user
  };
  struct Work {
    OrderWork order;
    UnixMs armed;  // its timer in the heap; 0: none
  };
  struct Timer {
    UnixMs due;
    EntityKey entity;
    bool operator>(const Timer& o) const { return due > o.due; }
  };
  struct PositionWaiter {
    Request request;
    UnixMs until;
  };
  struct Round {  // of a checkpoint
    std::uint64_t number = 0;
    Checkpoint at;
    std::vector<EntityKey> todo;
    std::size_t flushes = 0;  // under way
    bool mark_sent = false;   // only after every state of the round was written
  };
  struct Quotes {                                          // for a parked target
    std::unordered_map<Sku, std::optional<Quote>> by_sku;  // none: asked for
    std::size_t missing = 0;
  };

  enum class Remember : std::uint8_t { no, yes };

  // shard.cc: requests in, answers out
  void handle_request(Request&& request);
  void process(ShardInput&& input);
  void quote_wanted(const QuoteWanted& wanted);
  void quote_ready(QuoteReady&& ready);
  bool park_unless_ready(ShardInput& input);
  void park(ShardInput&& input);
  void needs_of(const ShardInput& input, std::vector<EntityKey>& out);
  Presence fetch(const EntityKey& entity);
  void drain(const EntityKey& target);
  void load_failed_for(const std::vector<EntityKey>& targets);
  Reply reply_to(const Request& request, ReplyCode code) const;
  void answer(const Request& request, Reply&& reply, Seq depends_on);
  void gate(Seq seq, Gated&& gated);
  void release();

  // shard.cc: recording
  struct Cause {
    CommandId cause;
    Id128 correlation = {};
    std::uint64_t key_hash = 0, request_hash = 0;
    Outcome outcome = Outcome::ok;
  };
  void record(const Cause& cause, std::vector<Event>&& events);
  void apply(const Transaction& transaction, std::size_t index, Seq seq);
  void mark(const EntityKey& entity, Seq seq);
  void apply_to_cart(const Transaction& transaction, std::size_t index, Seq seq);
  void apply_to_sku(const Transaction& transaction, std::size_t index, Seq seq);
  void apply_to_user(const Transaction& transaction, std::size_t index, Seq seq);
  template <class State>
  Hosted<State>* find(const typename HostedTraits<State>::Id& id);
  template <class State>
  Hosted<State>& make(const typename HostedTraits<State>::Id& id);
  Entity* entity_of(const EntityKey& entity);
  EntityKey key_of(const Entity& entity);
  void touch(Entity& entity);
  void changed(Entity& entity, Seq seq);

  // shard_commands.cc: what each request does
  void command(Request& request);
  void read(Request& request);
  void not_found(Request& request);
  bool answered_before(Request& request, const Answers& answers, Seq seq);
  void replay(Request& request, const Answer& before, Seq seq);
  bool version_differs(Request& request, Version version, Seq seq);
  void refuse(Request& request, const EntityKey& entity, Refused refused, Remember remember);
  bool decided(Request& request, const EntityKey& entity, const Decision& decision, Outcome outcome,
               std::vector<Event>&& more = {});
  void respond(Request& request, ReplyCode code, Version version, Seq seq, Replayed replayed,
               std::vector<ShardId> also_on = {});
  void render(const Request& request, Version version, Body& out);
  void user_orders(Request& request, const GetUserOrders& query);
  void sku_command(Request& request);
  void stock_step(Request& request);
  void user_command(Request& request);
  void email_step(Request& request);
  void bind_key(Request& request);
  bool bound_elsewhere(Request& request, const Id128& raw, const std::optional<UserId>& user);
  bool unknown_user(Request& request, const std::optional<UserId>& user);
  std::optional<Quote> quote_for(const EntityKey& target, const Sku& sku);
  void cart_command(Request& request);
  void check_out(Request& request, const CheckOut& command);
  void place_order(Request& request, const PlaceOrder& command);
  void accept_return(Request& request, const AcceptReturn& command);
  void order_command(Request& request);

  // shard_processes.cc: what orders and users owe, and who waits for it
  void start_work(const OrderId& id, Checkout::Start start);
  void follow(const OrderId& id, Advance&& advance);
  void process_answer(ProcessAnswer&& answer);
  void user_answer(const UserId& id, ProcessAnswer& answer);
  void user_effects(const UserId& id);
  void wait_for_check_out(Request&& request, const OrderId& id, Seq seq, Replayed replayed);
  void wait_for_order(Request&& request, const OrderId& id, Version version, Replayed replayed);
  void wait_for_user(Request&& request, Version version, Replayed replayed, Awaits awaits);
  void serve_order_waiters(const OrderId& id);
  std::vector<ShardId> shards_of_products(const Order& order) const;
  enum class Address : std::uint8_t { as_it_was, assigned, refused };
  void serve_user_waiters(const UserId& id, Address address);
  void arm_expiry(const Sku& sku, UnixMs due);
  void fire(const EntityKey& entity, UnixMs time);
  void expire(const Sku& sku, UnixMs time);

  // shard_storage.cc: recovery, checkpoints, eviction
  void forget();
  void abandon();
  Status rebuild(Journal& journal, RecoveryReport& report);
  Status replay_tail(Journal& journal, RecoveryReport& report);
  Status load_now(const EntityKey& entity);
  Presence fetch_quietly(const EntityKey& entity);
  Status adopt(const EntityKey& entity, StoredState&& stored);
  template <class State>
  void weigh(Hosted<State>& hosted);
  std::optional<StateWrite> write_of(const EntityKey& entity);
  bool active(const EntityKey& entity);
  void evict();

  UnixMs now();

  const ShardId id_;
  const ShardContext& context_;
  ShardOutput& output_;
  const Checkout checkout_;

  Seq last_seq_ = 0;  // tentative
  Seq cut_seq_ = 0;   // in a record
  Seq committed_ = 0;
  std::uint64_t chain_ = 0;  // after cut_seq_
  std::uint64_t epoch_ = 1;
  bool suspended_ = false;
  bool readable_ = true;  // recovered
  UnixMs time_;           // newest stamp given

  Tables tables_;
  EntityList lru_;
  std::size_t memory_bytes_ = 0;
  std::size_t dirty_ = 0;
  std::vector<Entity*> changed_;  // since the last round began; each is listed

  std::vector<Transaction> pending_;
  std::size_t pending_events_ = 0;
  std::deque<Gated> gated_;
  std::unordered_map<EntityKey, std::deque<ShardInput>> parked_;
  std::unordered_map<EntityKey, std::vector<EntityKey>> waiting_;  // entity that comes -> targets
  /// What a load found absent: known while anybody is parked, since who waits for several entities
  /// must not ask for the first again when the second comes.
  std::unordered_set<EntityKey> absent_;
  bool draining_ = false;
  std::unordered_map<EntityKey, Quotes> quotes_;
  std::vector<PositionWaiter> position_waiters_;

  std::unordered_map<OrderId, Work> works_;
  std::unordered_map<OrderId, std::vector<FinalWaiter>> order_waiters_;
  std::unordered_map<UserId, std::vector<FinalWaiter>> user_waiters_;
  std::unordered_map<Sku, UnixMs> armed_skus_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;

  std::optional<Round> round_;
  std::uint64_t rounds_ = 0;
  Seq checkpoint_seq_ = 0;
  UnixMs checkpoint_at_;
  Counts counts_;
};

template <class State, class F>
void Shard::each(const F& visit) const {
  tables_.of<State>().each([&](const Hosted<State>& h) { visit(h.id, h.state); });
}

}  // namespace souk
