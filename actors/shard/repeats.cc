#include "actors/shard/repeats.h"

namespace souk {
namespace {

const Answers* answers_of(const EntityKey& target, Residency& entities) {
  switch (target.kind()) {
    case Kind::sku: {
      const auto* h = entities.find_key<SkuState>(target);
      return h ? &h->state.answers : nullptr;
    }
    case Kind::user: {
      const auto* h = entities.find<UserState>(id_of<UserState>(target));
      return h ? &h->state.answers : nullptr;
    }
    case Kind::cart: {
      const auto* h = entities.find<CartState>(id_of<CartState>(target));
      return h ? &h->state.answers : nullptr;
    }
    case Kind::order: {
      const auto* h = entities.find<OrderState>(id_of<OrderState>(target));
      return h ? &h->state.answers : nullptr;
    }
    default:
      return nullptr;
  }
}

/// Whether the oldest answer of the cart is on a page; the others are only where it is.
bool has_page(const EntityKey& target, const Answers& answers) {
  if (target.kind() != Kind::cart) return false;
  for (const auto& a : answers.all())
    if (a.outcome != Outcome::refused) return Answers::is_on_page(a);
  return false;
}

const KeyState* beside_of(const EntityKey& target, Beside what, std::uint64_t number,
                          Residency& entities) {
  const auto* h = entities.find<KeyState>(beside(entities.shard(), target, what, number));
  return h ? &h->state : nullptr;
}

}  // namespace

Known needs_of_repeat(EntityKey target, std::uint64_t key_hash, Residency& entities,
                      ShardClock& clock, std::vector<EntityKey>& out) {
  const Answers* answers = answers_of(target, entities);
  if (!answers) return target.kind() == Kind::key ? Known::all : Known::nothing;
  if (answers->all().empty()) return Known::all;
  const bool full = answers->all().size() >= limits::answers_per_entity_max;
  if (!full && !has_page(target, *answers)) return Known::all;
  const UnixMs now = clock.now();
  Version page = 0;
  if (const Answer* kept = answers->find(key_hash, now)) {
    if (target.kind() == Kind::cart) page = answers->page_of(*kept);
  } else if (answers->some_left(now)) {
    out.emplace_back(beside(entities.shard(), target, Beside::answer, key_hash));
    const KeyState* left = beside_of(target, Beside::answer, key_hash, entities);
    if (left && !left->left.empty()) page = left->left.front().page;
  }
  if (page != 0) out.emplace_back(beside(entities.shard(), target, Beside::page, page));
  return Known::some;
}

Repeat find_repeat(const EntityKey& target, const Answers& answers, std::uint64_t key_hash,
                   Residency& entities, UnixMs now) {
  Repeat repeat{.answer = answers.find(key_hash, now)};
  Version page = 0;
  if (repeat.answer) {
    if (target.kind() == Kind::cart) page = answers.page_of(*repeat.answer);
  } else if (answers.some_left(now)) {
    const KeyState* beside = beside_of(target, Beside::answer, key_hash, entities);
    if (!beside || beside->left.empty()) return {};
    const LeftAnswer& left = beside->left.front();
    if (left.answer.key_hash != key_hash || !left.answer.counts_at(now)) return {};
    repeat.answer = &left.answer;
    repeat.past.left = &left;
    page = left.page;
  }
  if (page == 0) return repeat;
  const KeyState* beside = beside_of(target, Beside::page, page, entities);
  if (beside && !beside->page.empty()) repeat.past.page = &beside->page.front();
  return repeat;
}

}  // namespace souk
