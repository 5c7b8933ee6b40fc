#pragma once
/// How a shard keeps its entities: one table per kind, and one list over all of them from which
/// those that nobody used since the last look are evicted (the clock algorithm: using one costs a
/// store).
#include <functional>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "actors/shard/state_kinds.h"

namespace souk {

struct Entity {
  Entity* newer = nullptr;
  Entity* older = nullptr;
  Seq seq = 0;  // of its last event, tentative
  std::uint32_t bytes = 0;
  Kind kind = Kind::none;
  bool dirty = false;   // the state store has an older state, or none
  bool listed = false;  // for the next round of a checkpoint
  bool used = false;    // since eviction looked at it last
};

/// Intrusive; owns nothing.
class EntityList {
 public:
  void push(Entity& e) {
    e.newer = nullptr;
    e.older = newest_;
    if (newest_) newest_->newer = &e;
    newest_ = &e;
    if (!oldest_) oldest_ = &e;
  }
  void remove(Entity& e) {
    (e.newer ? e.newer->older : newest_) = e.older;
    (e.older ? e.older->newer : oldest_) = e.newer;
    e.newer = e.older = nullptr;
  }
  void touch(Entity& e) {
    if (newest_ == &e) return;
    remove(e);
    push(e);
  }
  Entity* oldest() const { return oldest_; }
  void clear() { newest_ = oldest_ = nullptr; }

 private:
  Entity* newest_ = nullptr;
  Entity* oldest_ = nullptr;
};

/// Of a SKU. What tells it from another is compared first: its text is somewhere else in memory.
struct SkuMark {
  std::uint64_t hash = 0;
  Seq catalogue_seq = 0;  // its last product event, as far as memory knows
  UnixMs armed;           // its timer; 0: none
};
struct NoMark {};

/// What is looked at first stands first: to find an entity reads one line of the cache.
template <class State>
struct Hosted : Entity, std::conditional_t<std::is_same_v<State, SkuState>, SkuMark, NoMark> {
  Hosted* next = nullptr;  // in its chain of the table
  typename HostedTraits<State>::Id id;
  State state;
};

/// Entities stay where they are until they are erased. What was found last is found again at once:
/// a command asks for the same entity several times.
/// Chains of entities, as long as one on average, that go through the entities themselves: no
/// second copy of the id, and what is coming can be prefetched. Looking up cold carts was a fifth
/// of the time with 1,000,000 of them in std::unordered_map; that this is quicker is not shown
/// (docs/performance.md).
template <class State>
class Table {
 public:
  using Id = typename HostedTraits<State>::Id;
  using Key = TableKey<State>;
  Table() = default;
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;
  ~Table() { clear(); }

  Hosted<State>* find(const Key& key) {
    if (last_ && table_key(last_->id) == key) return last_;
    if (Hosted<State>* found = look_up(key)) return last_ = found;
    return nullptr;
  }
  Hosted<State>* find(const Sku& sku) requires std::is_same_v<Id, Sku> {
    return find(table_key(sku));
  }
  const Hosted<State>* find(const Id& id) const { return look_up(table_key(id)); }
  /// Makes a `find` that comes soon cheap. First for all of many, then `prefetch_entity` for all,
  /// then `prefetch_inside`.
  void prefetch_chain(std::uint64_t hash) const {
    if (!chains_.empty()) __builtin_prefetch(&chains_[chain_of(hash)]);
  }
  void prefetch_entity(std::uint64_t hash) const {
    if (chains_.empty()) return;
    const char* first = reinterpret_cast<const char*>(chains_[chain_of(hash)]);
    for (std::size_t at = 0; at < sizeof(Hosted<State>); at += 64) __builtin_prefetch(first + at);
  }
  /// What a SKU keeps elsewhere, and every command for it reads.
  void prefetch_inside(std::uint64_t hash) const {
    if (chains_.empty()) return;
    if constexpr (std::is_same_v<State, SkuState>) {
      const Hosted<State>* first = chains_[chain_of(hash)];
      if (!first) return;
      __builtin_prefetch(first->id.text().data());
      first->state.inventory.holds.prefetch();
    }
  }
  /// REQUIRES: it is not there.
  Hosted<State>& add(const Id& id) {
    if (size_ >= chains_.size()) grow();
    auto added = std::make_unique<Hosted<State>>();
    added->id = id;
    added->kind = HostedTraits<State>::kind;
    const std::uint64_t hash = table_hash(table_key(id));
    if constexpr (has_hash) added->hash = hash;
    Hosted<State>*& chain = chains_[chain_of(hash)];
    added->next = chain;
    ++size_;
    return *(last_ = chain = added.release());
  }
  void erase(const Id& id) {
    last_ = nullptr;
    if (chains_.empty()) return;
    for (Hosted<State>** at = &chains_[chain_of(table_hash(table_key(id)))]; *at;
         at = &(*at)->next) {
      if ((*at)->id != id) continue;
      const std::unique_ptr<Hosted<State>> gone(std::exchange(*at, (*at)->next));
      --size_;
      return;
    }
  }
  void clear() {
    each([](Hosted<State>& hosted) { delete &hosted; });
    chains_.clear();
    bits_ = 0;
    last_ = nullptr;
    size_ = 0;
  }
  std::size_t size() const { return size_; }
  /// In no order that means anything. `visit` may delete what it is given.
  template <class F>
  void each(const F& visit) const {
    for (Hosted<State>* chain : chains_) {
      while (chain) visit(*std::exchange(chain, chain->next));
    }
  }

 private:
  static constexpr unsigned bits_min = 4;
  static constexpr bool has_hash = std::is_base_of_v<SkuMark, Hosted<State>>;
  static std::uint64_t hash_of(const Hosted<State>& hosted) {
    if constexpr (has_hash)
      return hosted.hash;
    else
      return table_hash(hosted.id);
  }
  /// The upper bits of a product: whatever the hash is like, all of its bits count.
  std::size_t chain_of(std::uint64_t hash) const {
    return hash * 0x9E3779B97F4A7C15ULL >> (64 - bits_);
  }
  static bool is(const Hosted<State>& hosted, const Key& key, std::uint64_t hash) {
    if constexpr (has_hash) {
      if (hosted.hash != hash) return false;
    }
    return table_key(hosted.id) == key;
  }
  Hosted<State>* look_up(const Key& key) const {
    if (chains_.empty()) return nullptr;
    const std::uint64_t hash = table_hash(key);
    Hosted<State>* at = chains_[chain_of(hash)];
    while (at && !is(*at, key, hash)) at = at->next;
    return at;
  }
  void grow() {
    bits_ = chains_.empty() ? bits_min : bits_ + 1;
    std::vector<Hosted<State>*> old(std::size_t{1} << bits_);
    old.swap(chains_);
    for (Hosted<State>* chain : old) {
      while (chain) {
        Hosted<State>* moved = std::exchange(chain, chain->next);
        moved->next = std::exchange(chains_[chain_of(hash_of(*moved))], moved);
      }
    }
  }

  std::vector<Hosted<State>*> chains_;
  unsigned bits_ = 0;  // 2^bits_ chains
  std::size_t size_ = 0;
  Hosted<State>* last_ = nullptr;
};

/// One table of each kind in the list of states.
template <class List>
class TablesOf;
template <class... States>
class TablesOf<StateList<States...>> {
 public:
  template <class State>
  Table<State>& of() {
    return std::get<Table<State>>(all_);
  }
  template <class State>
  const Table<State>& of() const {
    return std::get<Table<State>>(all_);
  }
  std::size_t size() const {
    return std::apply([](const auto&... t) { return (t.size() + ...); }, all_);
  }
  void clear() {
    std::apply([](auto&... t) { (t.clear(), ...); }, all_);
  }

 private:
  std::tuple<Table<States>...> all_;
};
using Tables = TablesOf<HostedStates>;

}  // namespace souk
