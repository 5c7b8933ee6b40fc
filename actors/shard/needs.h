#pragma once
/// What an input needs in memory before it can be handled.
#include <vector>

#include "actors/shard/repeats.h"

namespace souk {

/// The entities that must be in memory, or known to be absent, before `input` is handled; its
/// target first. What is in memory already may name more: whether to ask once more when these are
/// there, or when the target is (and not absent).
enum class Again : std::uint8_t { no, yes, with_target };
Again needs_of(const ShardInput& input, Residency& entities, ShardClock& clock,
               std::vector<EntityKey>& out);

/// Whether needs_of() would name the target and nothing else: of most inputs, without asking.
bool needs_target_alone(const ShardInput& input);

}  // namespace souk
