#pragma once
/// One run: a shop, its customers, a node that crashes, all from one seed.
#include <cstdint>
#include <string>

#include "tests/simulation/reader.h"

namespace souk::simulation {

/// Defects that the simulation must find.
enum class Defect {
  none,
  acknowledges_before_sync,
  decides_by_reading,  // what landed of what was in doubt, without a claim
  forgets_answers_on_recovery,
  forgets_answers_that_left,
  trusts_reopened_store,  // that it has what it took before it failed
  keeps_keys_of_orders,   // of a person who was erased
  keeps_keys_of_guests,   // whose order was
  releases_twice,
  forgets_orders_that_are_over,  // a SKU, whose fences are off
  checkpoint_without_effects,    // a read model's, after a crash
};

struct Outcome {
  std::string violation;  // empty: every promise was kept
  std::uint64_t commands = 0, events = 0, crashes = 0, failed_starts = 0, steps = 0;
  std::uint64_t evictions = 0, checkpoints = 0, fingerprint = 0;
  ReaderCounts readers;
  std::int64_t virtual_ms = 0;
};

Outcome run(std::uint64_t seed, Defect defect);

/// The command that repeats it.
std::string how_to_repeat(std::uint64_t seed);

}  // namespace souk::simulation
