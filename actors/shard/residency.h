#pragma once
/// Which entities of a shard are in memory, and which of them the state store has as they are:
/// finding, loading, checkpoints, eviction. It knows states and their bytes, not what they mean.
///
/// Invariants: an entity is evicted only where the store has its newest state; a checkpoint's mark
///   is written only after every state that was dirty when its round began; checkpoint_seq() is at
///   most the newest committed seq. What is kept beside an entity is written with it, at once, and
///   then leaves memory: a stored entity never lacks what it once left. Nothing that a store says
///   in a later generation is believed before reopened().
/// Thread: its shard's.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "actors/ports/state_store.h"
#include "actors/shard/hosted.h"
#include "actors/shard/shard_io.h"

namespace souk {

/// Flushes of one checkpoint that the store may have before it: what is encoded waits in memory.
inline constexpr std::size_t checkpoint_flushes_max = 4;
inline constexpr std::size_t checkpoint_bytes_per_state = 512;
inline constexpr std::size_t evict_looks_per_tick = 256;

/// elsewhere: perhaps on disk.
enum class Presence : std::uint8_t { here, absent, elsewhere };

class Residency {
 public:
  Residency(ShardId id, StateStore& states) : id_(id), states_(states) {}
  ShardId shard() const { return id_; }

  // ---- entities in memory ----
  template <class State>
  Hosted<State>* find(const typename HostedTraits<State>::Id& id) {
    return tables_.of<State>().find(id);
  }
  template <class State>
  const Hosted<State>* find(const typename HostedTraits<State>::Id& id) const {
    return tables_.of<State>().find(id);
  }
  template <class State>
  Hosted<State>* find_key(const EntityKey& key) {
    return tables_.of<State>().find(table_key<State>(key));
  }
  template <class State>
  Hosted<State>& make(const typename HostedTraits<State>::Id& id);
  /// As make(). REQUIRES: `key` is of State's kind.
  template <class State>
  Hosted<State>& make_key(const EntityKey& key) {
    Hosted<State>* there = find_key<State>(key);
    return there ? *there : make<State>(id_of<State>(key));
  }
  Entity* entity_of(const EntityKey& key);
  static EntityKey key_of(const Entity& entity);
  template <class State, class F>
  void each(const F& visit) const {
    tables_.of<State>().each(visit);
  }
  template <class State>
  const Table<State>& table() const {
    return tables_.of<State>();
  }
  static void touch(Entity& entity) { entity.used = true; }
  /// An entity that holds events after `seq`; null where none does.
  const Entity* newer_than(Seq seq) const {
    for (const Entity* e = by_age_.oldest(); e; e = e->newer)
      if (e->seq > seq) return e;
    return nullptr;
  }
  /// Its newest event is `seq` now.
  void changed(Entity& entity, Seq seq);
  /// What `entity`, which is changed by this very event, has no room for any more.
  void keep_beside(const EntityKey& entity, const KeyHash& id, KeyState&& state, Seq seq);

  // ---- from the store ----
  /// Brings the entity into memory where that needs no disk.
  Presence look(const EntityKey& key);
  /// Brings it into memory, unless the store has none. Blocks for the disk.
  /// Errors: those of the store; unavailable: it is of another generation than what is known of it.
  Status load(const EntityKey& key);
  /// Errors: corrupt.
  Status adopt(const EntityKey& key, StoredState&& stored);
  /// The store was asked and has no such entity. Known until forget_absent(): an input that waits
  /// for several entities must not ask for the first again when the second comes.
  void note_absent(const EntityKey& key) { absent_.insert(key); }
  bool known_absent(const EntityKey& key) const {
    return !absent_.empty() && absent_.contains(key);
  }
  void forget_absent() { absent_.clear(); }
  /// The store has it no more, or not as it is: the next round writes it.
  /// REQUIRES: it is in memory.
  void rewrite(const EntityKey& key);
  void forget();

  // ---- checkpoints: all that is dirty, then a mark ----
  /// `mark`: where the log is now.
  void start_round(const Checkpoint& mark);
  bool in_round() const { return round_.has_value(); }
  /// Whether a step would do something now.
  bool round_waits() const {
    return round_ && !round_->mark_sent &&
           (round_->todo.empty() ? round_->flushes == 0 : round_->flushes < checkpoint_flushes_max);
  }
  /// The next states of the round into `out`, at most about `bytes_max`, each counted with
  /// checkpoint_bytes_per_state more. `active(key)`: it has work to do, so that a recovery must
  /// load it. Returns how many bytes these were; `out` has neither states nor a mark where there is
  /// nothing to write.
  template <class F>
  std::size_t round_step(std::size_t bytes_max, const F& active, ShardOutput::Flush& out);
  /// Returns whether the round ended.
  enum class RoundEnded : std::uint8_t { no, yes };
  RoundEnded written(std::uint64_t round, const std::vector<std::pair<EntityKey, Seq>>& states,
                     const std::optional<Checkpoint>& checkpoint);
  void flush_failed(std::uint64_t round);
  Seq checkpoint_seq() const { return checkpoint_seq_; }

  // ---- the store's generation ----
  std::uint64_t generation() const { return generation_; }
  /// A recovery begins with the store as it is.
  void begin_at(Seq checkpoint, std::uint64_t generation) {
    checkpoint_seq_ = checkpoint;
    generation_ = generation;
  }
  /// No state in the store is newer than this, as far as it said.
  Seq stored_to() const { return stored_to_; }
  void stored_to(Seq seq) { stored_to_ = std::max(stored_to_, seq); }
  /// `found`: what a recovery up to stored_to() makes of the store as it is since it was opened
  /// anew. What is not there any more is to be written again, and is in memory until then.
  void reopened(Residency&& found);
  std::size_t dirty() const { return dirty_; }

  // ---- eviction ----
  /// Looks at some of the entities and drops those that nobody used since the last look, until
  /// `budget` is kept. `stays(entity, key)`: it may not go. Returns whether a checkpoint is needed
  /// before more can go.
  enum class NeedsRound : std::uint8_t { no, yes };
  template <class F>
  NeedsRound evict(std::size_t budget, const F& stays);

  std::size_t entities() const { return tables_.size(); }
  std::size_t memory_bytes() const { return memory_bytes_; }
  std::uint64_t evictions() const { return evictions_; }
  std::uint64_t states_written() const { return states_written_; }

 private:
  struct Round {
    std::uint64_t number = 0;
    Checkpoint mark;
    std::vector<EntityKey> todo;
    std::size_t flushes = 0;  // under way
    bool mark_sent = false;   // only after every state of the round was written
  };
  template <class State>
  void weigh(Hosted<State>& hosted);
  std::optional<StateWrite> write_of(const EntityKey& key);
  std::size_t write_beside(const EntityKey& key, std::vector<StateWrite>& out);
  void drop(Entity& entity, const EntityKey& key);
  void dirtied(Entity& entity);
  void list(Entity& entity);

  const ShardId id_;
  StateStore& states_;
  Tables tables_;
  EntityList by_age_;
  std::size_t memory_bytes_ = 0;
  std::size_t dirty_ = 0;
  std::vector<Entity*> changed_;  // since the last round began; each is listed
  std::unordered_set<EntityKey> absent_;
  std::unordered_map<EntityKey, std::vector<KeyHash>> beside_;  // what is not in the store yet
  std::optional<Round> round_;
  std::uint64_t rounds_ = 0;
  Seq checkpoint_seq_ = 0;
  Seq stored_to_ = 0;
  std::uint64_t generation_ = 0;
  std::uint64_t evictions_ = 0, states_written_ = 0;
};

template <class State>
Hosted<State>& Residency::make(const typename HostedTraits<State>::Id& id) {
  if (Hosted<State>* there = find<State>(id)) return *there;
  if (!absent_.empty()) absent_.erase(EntityKey(id));
  Hosted<State>& hosted = tables_.of<State>().add(id);
  hosted.bytes = static_cast<std::uint32_t>(memory_of(hosted.state) + sizeof(Entity) + 64);
  memory_bytes_ += hosted.bytes;
  by_age_.push(hosted);
  return hosted;
}

template <class F>
std::size_t Residency::round_step(std::size_t bytes_max, const F& active, ShardOutput::Flush& out) {
  out.shard = id_;
  out.round = round_->number;
  out.generation = generation_;
  std::size_t bytes = 0;
  while (!round_->todo.empty() && bytes < bytes_max) {
    bytes += checkpoint_bytes_per_state;
    const EntityKey& key = round_->todo.back();
    if (auto write = write_of(key)) {
      write->attention = active(key) ? Attention::active : Attention::idle;
      bytes += write->state.size();
      out.states.push_back(std::move(*write));
      if (!beside_.empty()) bytes += write_beside(key, out.states);
    }
    round_->todo.pop_back();
  }
  states_written_ += out.states.size();
  if (round_->todo.empty() && round_->flushes == 0) {  // a flush that fails leaves no mark behind
    out.checkpoint = round_->mark;
    round_->mark_sent = true;
  } else if (out.states.empty()) {
    return bytes;
  }
  ++round_->flushes;
  return bytes;
}

template <class F>
Residency::NeedsRound Residency::evict(std::size_t budget, const F& stays) {
  NeedsRound needs = NeedsRound::no;
  if (memory_bytes_ <= budget) return needs;
  std::size_t looked_at = 0;
  for (Entity* e = by_age_.oldest();
       e && memory_bytes_ > budget && looked_at < evict_looks_per_tick; ++looked_at) {
    Entity* newer = e->newer;
    const EntityKey key = key_of(*e);
    if (e->dirty) needs = NeedsRound::yes;
    if (e->used || e->dirty || e->listed || stays(*e, key)) {
      e->used = false;
      by_age_.touch(*e);  // it comes round again
    } else {
      drop(*e, key);
    }
    e = newer;
  }
  return needs;
}

}  // namespace souk
