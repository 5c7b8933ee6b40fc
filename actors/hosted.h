#pragma once
/// How a shard keeps its entities: one table per kind, and one list over all of them from which
/// those that nobody used since the last look are evicted (the clock algorithm: using one costs a
/// store).
#include <tuple>
#include <unordered_map>

#include "actors/state_codec.h"
#include "events/ids.h"

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

template <class State>
struct HostedTraits;
template <>
struct HostedTraits<UserState> {
  using Id = UserId;
  static constexpr Kind kind = Kind::user;
};
template <>
struct HostedTraits<SkuState> {
  using Id = Sku;
  static constexpr Kind kind = Kind::sku;
};
template <>
struct HostedTraits<CartState> {
  using Id = CartId;
  static constexpr Kind kind = Kind::cart;
};
template <>
struct HostedTraits<OrderState> {
  using Id = OrderId;
  static constexpr Kind kind = Kind::order;
};
template <>
struct HostedTraits<EmailState> {
  using Id = EmailHash;
  static constexpr Kind kind = Kind::email;
};
template <>
struct HostedTraits<KeyState> {
  using Id = KeyHash;
  static constexpr Kind kind = Kind::key;
};

/// Of a SKU: its last product event, as far as memory knows.
struct CatalogueMark {
  Seq catalogue_seq = 0;
};
struct NoMark {};

template <class State>
struct Hosted : Entity, std::conditional_t<std::is_same_v<State, SkuState>, CatalogueMark, NoMark> {
  State state;
  typename HostedTraits<State>::Id id;
};

/// Entities stay where they are until they are erased. What was found last is found again at once:
/// a command asks for the same entity several times.
template <class State>
class Table {
 public:
  using Id = typename HostedTraits<State>::Id;
  Hosted<State>* find(const Id& id) {
    if (last_ && last_->id == id) return last_;
    auto at = all_.find(id);
    if (at == all_.end()) return nullptr;
    return last_ = &at->second;
  }
  const Hosted<State>* find(const Id& id) const {
    auto at = all_.find(id);
    return at == all_.end() ? nullptr : &at->second;
  }
  /// REQUIRES: it is not there.
  Hosted<State>& add(const Id& id) {
    last_ = &all_[id];
    last_->id = id;
    last_->kind = HostedTraits<State>::kind;
    return *last_;
  }
  void erase(const Id& id) {
    last_ = nullptr;
    all_.erase(id);
  }
  void clear() {
    last_ = nullptr;
    all_.clear();
  }
  std::size_t size() const { return all_.size(); }
  auto begin() const { return all_.begin(); }
  auto end() const { return all_.end(); }

 private:
  /// An id's hash costs nothing, so the nodes do not keep it; a SKU's is worth keeping.
  struct IdHash {
    std::size_t operator()(const Id& id) const noexcept { return std::hash<Id>{}(id); }
  };
  using Hash = std::conditional_t<std::is_same_v<Id, Sku>, std::hash<Sku>, IdHash>;
  std::unordered_map<Id, Hosted<State>, Hash> all_;
  Hosted<State>* last_ = nullptr;
};

class Tables {
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
  std::tuple<Table<UserState>, Table<SkuState>, Table<CartState>, Table<OrderState>,
             Table<EmailState>, Table<KeyState>>
      all_;
};

template <class State>
Result<State, Fault> decode_state(std::string_view bytes) {
  if constexpr (std::is_same_v<State, UserState>)
    return decode_user(bytes);
  else if constexpr (std::is_same_v<State, SkuState>)
    return decode_sku(bytes);
  else if constexpr (std::is_same_v<State, CartState>)
    return decode_cart(bytes);
  else if constexpr (std::is_same_v<State, OrderState>)
    return decode_order(bytes);
  else if constexpr (std::is_same_v<State, EmailState>)
    return decode_email(bytes);
  else
    return decode_key(bytes);
}

/// Calls `f` with a null pointer of the state type of `kind`.
template <class F>
auto with_state(Kind kind, F&& f) {
  switch (kind) {
    case Kind::user:
      return f(static_cast<UserState*>(nullptr));
    case Kind::sku:
      return f(static_cast<SkuState*>(nullptr));
    case Kind::cart:
      return f(static_cast<CartState*>(nullptr));
    case Kind::order:
      return f(static_cast<OrderState*>(nullptr));
    case Kind::email:
      return f(static_cast<EmailState*>(nullptr));
    case Kind::key:
      return f(static_cast<KeyState*>(nullptr));
    case Kind::none:
      break;
  }
  SOUK_ASSERT(false);
  return f(static_cast<KeyState*>(nullptr));
}

/// REQUIRES: `key` is of State's kind.
template <class State>
typename HostedTraits<State>::Id id_of(const EntityKey& key) {
  SOUK_ASSERT(key.kind() == HostedTraits<State>::kind);
  if constexpr (std::is_same_v<typename HostedTraits<State>::Id, Sku>) {
    return Sku::trusted(key.id());
  } else {
    return {*Id128::from_bytes(key.id())};
  }
}

}  // namespace souk
