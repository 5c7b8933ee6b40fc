#include "actors/shard/residency.h"

#include <algorithm>
#include <numeric>

namespace souk {
namespace {

/// What the table adds to an entity: the head of its chain, the allocator's rest.
constexpr std::size_t node_bytes = 24;

/// A cart that rests keeps no room to grow: 100 of its 600 bytes.
void fit(CartState& s) {
  s.cart.lines.shrink_to_fit();
  s.cart.undo.shrink_to_fit();
  s.answers.all().shrink_to_fit();
}
template <class State>
void fit(State&) {}

}  // namespace

Entity* Residency::entity_of(const EntityKey& key) {
  return with_state(key.kind(),
                    [&]<class State>(State*) -> Entity* { return find_key<State>(key); });
}

EntityKey Residency::key_of(const Entity& entity) {
  return with_state(entity.kind, [&]<class State>(State*) {
    return EntityKey(static_cast<const Hosted<State>&>(entity).id);
  });
}

void Residency::dirtied(Entity& entity) {
  if (entity.dirty) return;
  entity.dirty = true;
  ++dirty_;
}

void Residency::list(Entity& entity) {
  if (entity.listed) return;
  entity.listed = true;
  changed_.push_back(&entity);
}

void Residency::changed(Entity& entity, Seq seq) {
  entity.seq = seq;
  dirtied(entity);
  list(entity);
  entity.used = true;
}

void Residency::keep_beside(const EntityKey& entity, const KeyHash& id, KeyState&& state, Seq seq) {
  auto& hosted = make<KeyState>(id);
  hosted.state = std::move(state);
  hosted.seq = seq;
  dirtied(hosted);
  weigh(hosted);
  beside_[entity].push_back(id);
}

// ---- from the store ----

Status Residency::adopt(const EntityKey& key, StoredState&& stored) {
  return with_state(key.kind(), [&]<class State>(State*) -> Status {
    auto state = HostedTraits<State>::decode(stored.state);
    if (!state.ok())
      return Fault{Fault::Kind::corrupt,
                   "the stored state of " + key.text() + " cannot be read: " + state.error().what};
    auto& hosted = make_key<State>(key);
    hosted.state = std::move(*state);
    hosted.seq = stored.seq;
    weigh(hosted);
    return Done{};
  });
}

Presence Residency::look(const EntityKey& key) {
  if (entity_of(key)) return Presence::here;
  if (known_absent(key)) return Presence::absent;
  auto found = states_.get(id_, key, StateStore::Where::memory);
  if (!found.ok() || found->generation != generation_) return Presence::elsewhere;
  using Lookup = StateStore::Found::Answer;
  if (found->answer == Lookup::absent) return Presence::absent;
  if (found->answer == Lookup::found && adopt(key, std::move(found->state)).ok())
    return Presence::here;
  return Presence::elsewhere;
}

Status Residency::load(const EntityKey& key) {
  if (entity_of(key)) return Done{};
  auto found = states_.get(id_, key, StateStore::Where::anywhere);
  if (!found.ok()) return found.error();
  if (found->generation != generation_)
    return Fault{Fault::Kind::unavailable,
                 "states/ was opened anew meanwhile; it is read again by itself"};
  if (found->answer == StateStore::Found::Answer::found) return adopt(key, std::move(found->state));
  return Done{};
}

void Residency::rewrite(const EntityKey& key) {
  Entity& entity = *entity_of(key);
  dirtied(entity);
  list(entity);
}

void Residency::forget() {
  tables_.clear();
  by_age_.clear();
  memory_bytes_ = 0;
  dirty_ = 0;
  changed_.clear();
  absent_.clear();
  beside_.clear();
  round_.reset();
}

template <class State>
void Residency::weigh(Hosted<State>& hosted) {
  memory_bytes_ -= hosted.bytes;
  hosted.bytes = static_cast<std::uint32_t>(memory_of(hosted.state) + sizeof(Hosted<State>) -
                                            sizeof(State) + node_bytes);
  memory_bytes_ += hosted.bytes;
}

// ---- checkpoints ----

std::optional<StateWrite> Residency::write_of(const EntityKey& key) {
  return with_state(key.kind(), [&]<class State>(State*) -> std::optional<StateWrite> {
    auto* hosted = find_key<State>(key);
    if (!hosted || !hosted->dirty) return std::nullopt;
    fit(hosted->state);
    weigh(*hosted);
    return StateWrite{
        .shard = id_, .entity = key, .seq = hosted->seq, .state = encode(hosted->state)};
  });
}

/// All that `key` left and that is not in the store. Returns how many bytes these were.
std::size_t Residency::write_beside(const EntityKey& key, std::vector<StateWrite>& out) {
  const auto at = beside_.find(key);
  if (at == beside_.end()) return 0;
  std::size_t bytes = 0;
  std::erase_if(at->second, [&](const KeyHash& id) {
    auto write = write_of(id);
    if (!write) return true;
    bytes += write->state.size() + checkpoint_bytes_per_state;
    out.push_back(std::move(*write));
    return false;
  });
  return bytes;
}

void Residency::start_round(const Checkpoint& mark) {
  if (round_) return;
  round_.emplace(Round{.number = ++rounds_, .mark = mark, .todo = {}});
  // In the store's order: a memtable takes neighbours at a fraction of the cost.
  std::vector<EntityKey> keys;
  keys.reserve(changed_.size());
  for (Entity* e : changed_) {
    e->listed = false;
    if (e->dirty) keys.push_back(key_of(*e));
  }
  changed_.clear();
  std::vector<std::uint32_t> order(keys.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, std::ranges::greater{},
                    [&](std::uint32_t i) -> const EntityKey& { return keys[i]; });
  round_->todo.reserve(keys.size());
  for (const std::uint32_t i : order) round_->todo.push_back(keys[i]);
}

Residency::RoundEnded Residency::written(std::uint64_t round,
                                         const std::vector<std::pair<EntityKey, Seq>>& states,
                                         const std::optional<Checkpoint>& checkpoint) {
  for (const auto& [key, seq] : states) {
    stored_to(seq);
    Entity* e = entity_of(key);
    if (!e || !e->dirty || e->seq != seq) continue;
    e->dirty = false;
    --dirty_;
    if (key.kind() != Kind::key) {
      if (!beside_.empty()) beside_.erase(key);
      continue;
    }
    const KeyState& state = static_cast<const Hosted<KeyState>*>(e)->state;
    if (!e->listed && !(state.left.empty() && state.page.empty())) drop(*e, key);
  }
  if (!round_ || round_->number != round) return RoundEnded::no;
  --round_->flushes;
  if (!checkpoint) return RoundEnded::no;
  checkpoint_seq_ = checkpoint->seq;
  round_.reset();
  return RoundEnded::yes;
}

void Residency::flush_failed(std::uint64_t round) {
  if (!round_ || round_->number != round) return;
  round_.reset();
  for (Entity* e = by_age_.oldest(); e; e = e->newer)
    if (e->dirty) list(*e);
}

// ---- the store's generation ----

void Residency::reopened(Residency&& found) {
  begin_at(found.checkpoint_seq_, found.generation_);
  round_.reset();
  absent_.clear();
  for (Entity* e = by_age_.oldest(); e; e = e->newer) {
    if (e->seq > checkpoint_seq_) dirtied(*e);
    if (e->dirty) list(*e);
  }
  for (Entity* e = found.by_age_.oldest(); e; e = e->newer) {
    if (!e->dirty) continue;
    with_state(e->kind, [&]<class State>(State*) {
      auto& lost = static_cast<Hosted<State>&>(*e);
      if (find<State>(lost.id)) return;
      auto& hosted = make<State>(lost.id);
      hosted.state = std::move(lost.state);
      hosted.seq = lost.seq;
      if constexpr (std::is_same_v<State, SkuState>) hosted.catalogue_seq = lost.catalogue_seq;
      weigh(hosted);
      dirtied(hosted);
      if (lost.listed) list(hosted);  // else it is written with the entity that left it
    });
  }
  for (auto& [entity, ids] : found.beside_) {
    auto& mine = beside_[entity];
    for (const KeyHash& id : ids)
      if (std::ranges::find(mine, id) == mine.end()) mine.push_back(id);
  }
}

// ---- eviction ----

void Residency::drop(Entity& entity, const EntityKey& key) {
  ++evictions_;
  memory_bytes_ -= entity.bytes;
  by_age_.remove(entity);
  with_state(key.kind(),
             [&]<class State>(State*) { tables_.of<State>().erase(id_of<State>(key)); });
}

}  // namespace souk
