#pragma once
/// Documents of entities as they were at a version.
#include "actors/shard/repeats.h"

namespace souk {

/// For Presenter::product: without the member `available`.
inline constexpr std::int64_t stock_not_shown = -1;

/// The document that answers `op`, as it was at `version`; from `past` where the entity is too young
/// to know.
/// REQUIRES: the entity that it shows is in memory.
void render(Residency& entities, const Presenter& presenter, const Op& op, Version version,
            const Past& past, Body& out);

}  // namespace souk
