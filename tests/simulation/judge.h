#pragma once
/// After a run: is every promise kept? Each check notes the first violation in the world.
#include "tests/simulation/books.h"
#include "tests/simulation/node.h"
#include "tests/simulation/referee.h"

namespace souk::simulation {

/// P1, P2: every acknowledged effect is in the journal, once, and what was promised adds up.
void judge_promises(World& world, const Books& books, const Shop& shop, const Referee& referee);
/// P3: no hold is left, what was sold is what was ordered, and the money is where it belongs.
void judge_stock(World& world, const Books& books);
void judge_money(World& world, const Books& books, const SimProvider& provider);
/// Addresses have one owner; the erased are forgotten.
void judge_users(World& world, const Books& books, const Shop& shop, const SimVault& vault);
/// P1, P5: what was shown at a version is what the journal makes of that version.
void judge_sightings(World& world, const SimJournal::Records& records, const Referee& referee,
                     const Presenter& presenter);
/// P6: the journal alone, states and tail, and the live node have the same bytes.
/// REQUIRES: no faults any more.
void judge_replay(World& world, const EngineOptions& options, const Surroundings& around,
                  const SimNode& live);

}  // namespace souk::simulation
