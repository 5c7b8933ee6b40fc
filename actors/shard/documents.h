#pragma once
/// Documents of entities as they were at a version.
#include "actors/shard/residency.h"

namespace souk {

/// For Presenter::product: without the member `available`.
inline constexpr std::int64_t stock_not_shown = -1;

/// The document that answers `op`, as it was at `version`.
/// REQUIRES: the entity that it shows is in memory.
void render(Residency& entities, const Presenter& presenter, const Op& op, Version version,
            Body& out);

}  // namespace souk
