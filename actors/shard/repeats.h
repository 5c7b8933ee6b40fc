#pragma once
/// The answer that a key got before: with its entity, or beside it where many came since.
#include <vector>

#include "actors/shard/residency.h"

namespace souk {

/// What must be in memory, or known to be absent, before find_repeat(); nothing for most keys.
enum class Known : std::uint8_t {
  all,
  some,    // it may name more
  nothing  // the target is not in memory
};
Known needs_of_repeat(EntityKey target, std::uint64_t key_hash, Residency& entities,
                      ShardClock& clock, std::vector<EntityKey>& out);

/// What a repeat shows of the entity where it does not hold that itself any more.
struct Past {
  const LeftAnswer* left = nullptr;
  const Cart* page = nullptr;
};
struct Repeat {
  const Answer* answer = nullptr;  // none: the key is new, or its answer counts no more
  Past past = {};
};
/// REQUIRES: needs_of_repeat() are there.
Repeat find_repeat(const EntityKey& target, const Answers& answers, std::uint64_t key_hash,
                   Residency& entities, UnixMs now);

}  // namespace souk
