#pragma once
/// The list of what a shard hosts. A new kind of entity is one row here: its tables, its fetching,
/// storing and folding follow from the list.
#include <type_traits>

#include "actors/states/state_codec.h"
#include "events/ids.h"

namespace souk {

template <class... States>
struct StateList {};
using HostedStates = StateList<UserState, SkuState, CartState, OrderState, EmailState, KeyState>;

/// Of one row: the kind of entity, what it is found by, how its stored state is read.
template <class IdType, Kind its_kind, auto its_decode>
struct StateRow {
  using Id = IdType;
  static constexpr Kind kind = its_kind;
  static constexpr auto decode = its_decode;
};
template <class State>
struct HostedTraits;
template <>
struct HostedTraits<UserState> : StateRow<UserId, Kind::user, &decode_user> {};
template <>
struct HostedTraits<SkuState> : StateRow<Sku, Kind::sku, &decode_sku> {};
template <>
struct HostedTraits<CartState> : StateRow<CartId, Kind::cart, &decode_cart> {};
template <>
struct HostedTraits<OrderState> : StateRow<OrderId, Kind::order, &decode_order> {};
template <>
struct HostedTraits<EmailState> : StateRow<EmailHash, Kind::email, &decode_email> {};
template <>
struct HostedTraits<KeyState> : StateRow<KeyHash, Kind::key, &decode_key> {};

/// What tables find an entity by: its id, and of a SKU a view of its text, so that none is copied.
template <class State>
using TableKey = std::conditional_t<std::is_same_v<typename HostedTraits<State>::Id, Sku>,
                                    std::string_view, typename HostedTraits<State>::Id>;
inline std::string_view table_key(const Sku& sku) { return sku.text(); }
template <char Tag>
EntityId<Tag> table_key(const EntityId<Tag>& id) {
  return id;
}

/// Calls `f` with a null pointer of each state type of the list.
template <class F, class... States>
void each_state(F&& f, StateList<States...>) {
  (f(static_cast<States*>(nullptr)), ...);
}

namespace detail {
template <class F, class First, class... Rest>
auto with_state_of(Kind kind, F& f, StateList<First, Rest...>) {
  if constexpr (sizeof...(Rest) == 0) {
    SOUK_ASSERT(kind == HostedTraits<First>::kind);
    return f(static_cast<First*>(nullptr));
  } else {
    if (kind == HostedTraits<First>::kind) return f(static_cast<First*>(nullptr));
    return with_state_of(kind, f, StateList<Rest...>{});
  }
}
}  // namespace detail

/// Calls `f` with a null pointer of the state type of `kind`.
template <class F>
auto with_state(Kind kind, F&& f) {
  return detail::with_state_of(kind, f, HostedStates{});
}

/// What tables find it by, hashed.
inline std::uint64_t table_hash(std::string_view text) { return stable_hash(text); }
template <char Tag>
std::uint64_t table_hash(const EntityId<Tag>& id) {
  return Id128Hash{}(id.raw);
}
inline std::uint64_t table_hash(const EntityKey& key) {
  if (key.kind() == Kind::sku) return table_hash(key.id());
  return Id128Hash{}(*Id128::from_bytes(key.id()));
}

/// REQUIRES: `key` is of State's kind, and outlives what is returned.
template <class State>
TableKey<State> table_key(const EntityKey& key) {
  SOUK_ASSERT(key.kind() == HostedTraits<State>::kind);
  if constexpr (std::is_same_v<TableKey<State>, std::string_view>) {
    return key.id();
  } else {
    return {*Id128::from_bytes(key.id())};
  }
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
