#pragma once
/// What an input needs in memory before it can be handled.
#include <vector>

#include "actors/shard/residency.h"

namespace souk {

/// The entities that must be in memory, or known to be absent, before `input` is handled; its
/// target first. What is in memory already may name more: `again` says whether to ask once more
/// when these are there.
enum class Again : std::uint8_t { no, yes };
Again needs_of(const ShardInput& input, Residency& entities, std::vector<EntityKey>& out);

}  // namespace souk
