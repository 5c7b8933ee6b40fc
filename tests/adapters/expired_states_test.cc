#include <doctest/doctest.h>
#include <rocksdb/compaction_filter.h>

#include "actors/adapters/rocksdb_expired_states.h"
#include "actors/states/state_codec.h"

using namespace souk;

namespace {

constexpr std::int64_t hour_ms = 60LL * 60 * 1000;
constexpr std::int64_t at_ms = 1'800'000'000'000;

/// Whether the store drops `state` `later_ms` after `at_ms`.
template <class State>
bool dropped(Kind kind, const State& state, std::int64_t later_ms) {
  const std::atomic<std::int64_t> now{at_ms + later_ms};
  const auto filter = drop_expired_states(now);
  const std::string key = std::string("s") + std::string(2, '\0') + static_cast<char>(kind) + "id";
  std::string changed;
  bool changes = false;
  return filter->Filter(0, key, std::string(12, '\0') + encode(state), &changed, &changes);
}

Id128 some_id() {
  Id128 id;
  id.bytes[5] = 7;
  return id;
}

}  // namespace

TEST_CASE("expired states: an address that was given back goes a day later, an owned one never") {
  EmailState free;
  free.owner.changed_at = UnixMs{at_ms};
  CHECK_FALSE(dropped(Kind::email, free, 24 * hour_ms));
  CHECK(dropped(Kind::email, free, 26 * hour_ms));
  EmailState owned = free;
  owned.owner.user = UserId{some_id()};
  CHECK_FALSE(dropped(Kind::email, owned, 365 * 24 * hour_ms));
}

TEST_CASE("expired states: what is known of a key goes when the key does not count") {
  KeyState key;
  key.key.at_ms = at_ms;
  CHECK_FALSE(dropped(Kind::key, key, 24 * hour_ms));
  CHECK(dropped(Kind::key, key, 26 * hour_ms));
}

TEST_CASE("expired states: of carts and orders only those that were never made") {
  Answer refused;
  refused.key_hash = 1;
  refused.at_ms = at_ms;
  refused.outcome = Outcome::refused;
  OrderState order;
  order.answers.keep(refused);
  CHECK_FALSE(dropped(Kind::order, order, 24 * hour_ms));
  CHECK(dropped(Kind::order, order, 26 * hour_ms));
  order.order.status = OrderStatus::rejected;
  CHECK_FALSE(dropped(Kind::order, order, 26 * hour_ms));
  CartState cart;
  cart.answers.keep(refused);
  CHECK_FALSE(dropped(Kind::cart, cart, 24 * hour_ms));
  CHECK(dropped(Kind::cart, cart, 26 * hour_ms));
  cart.cart.status = CartStatus::open;
  CHECK_FALSE(dropped(Kind::cart, cart, 26 * hour_ms));
}

TEST_CASE("expired states: nothing is dropped before the time of the log is known") {
  KeyState key;
  key.key.at_ms = at_ms;
  CHECK_FALSE(dropped(Kind::key, key, -at_ms));
}
