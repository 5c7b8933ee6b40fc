// SOUK_SIMULATION_SEEDS and SOUK_SIMULATION_FIRST_SEED say how many runs, and which is the first.
// Without them each day has seeds of its own, and each build; what broke is repeated by its seed.
#include <doctest/doctest.h>

#include "tests/simulation/run.h"
#include "tests/simulation/seeds.h"

namespace souk::simulation {
namespace {

constexpr std::uint64_t seeds_usual = 300;
constexpr std::uint64_t seeds_to_find_a_defect = 300;

Outcome run_seed(std::uint64_t seed, Defect defect) {
  const SeedRunning running(seed, how_to_repeat);
  return run(seed, defect);
}

/// Runs seed after seed until `defect` breaks `promise`.
void find_defect(Defect defect, const std::string& promise) {
  const std::uint64_t first = setting("SOUK_SIMULATION_FIRST_SEED", 1);
  for (std::uint64_t seed = first; seed < first + seeds_to_find_a_defect; ++seed) {
    const std::string violation = run_seed(seed, defect).violation;
    if (!violation.starts_with(promise)) continue;
    MESSAGE("found with seed " << seed << ": " << violation);
    return;
  }
  FAIL_CHECK("nothing broke " << promise << " in " << seeds_to_find_a_defect << " seeds");
}

}  // namespace

TEST_CASE("simulation: every promise is kept whatever fails") {
  const std::uint64_t seeds = setting("SOUK_SIMULATION_SEEDS", seeds_usual);
  const std::uint64_t first = setting("SOUK_SIMULATION_FIRST_SEED", first_seed_today());
  MESSAGE(seeds << " seeds from " << first << " on; repeat with: tools/dev simulate --seeds "
                << seeds << " --first " << first);
  Outcome all;
  const auto began = std::chrono::steady_clock::now();
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    const Outcome one = run_seed(seed, Defect::none);
    INFO("seed ", seed, ": ", one.violation);
    INFO("repeat with: ", how_to_repeat(seed));
    CHECK(one.violation.empty());
    all.commands += one.commands;
    all.events += one.events;
    all.crashes += one.crashes;
    all.failed_starts += one.failed_starts;
    all.steps += one.steps;
    all.evictions += one.evictions;
    all.checkpoints += one.checkpoints;
    all.virtual_ms += one.virtual_ms;
    all.readers += one.readers;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  MESSAGE(seeds << " seeds from " << first << " in " << took.count() << " s: " << all.commands
                << " commands, " << all.events << " events, " << all.crashes << " crashes, "
                << all.failed_starts << " failed starts, " << all.evictions << " evictions, "
                << all.checkpoints << " checkpoints, " << all.steps << " messages, "
                << all.virtual_ms / 1000 << " s of virtual time; read models: " << all.readers.steps
                << " steps, " << all.readers.opened << " times opened, " << all.readers.rebuilt
                << " rebuilt, " << all.readers.stale << " entities stale, " << all.readers.compared
                << " times compared");
  if (seeds < seeds_usual) return;
  CHECK(all.crashes > 0);  // or nothing was tested
  CHECK(all.evictions > 0);
  CHECK(all.checkpoints > 0);
  CHECK(all.readers.rebuilt > 0);
  CHECK(all.readers.stale > 0);
  CHECK(all.readers.mended > 0);
}

TEST_CASE("simulation: the same seed is the same run, byte by byte") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Outcome one = run_seed(seed, Defect::none), again = run_seed(seed, Defect::none);
    CHECK(one.fingerprint == again.fingerprint);
    CHECK(one.steps == again.steps);
  }
}

TEST_CASE("simulation: an engine that acknowledges before the sync is found out") {
  find_defect(Defect::acknowledges_before_sync, "P1");
}

TEST_CASE("simulation: an owner that decides a doubt by reading, without a claim, is found out") {
  find_defect(Defect::decides_by_reading, "P1");
}

TEST_CASE("simulation: an engine whose recovery forgets the answers of keys is found out") {
  find_defect(Defect::forgets_answers_on_recovery, "P2");
}

TEST_CASE("simulation: a store that loses the answers that left their entity is found out") {
  find_defect(Defect::forgets_answers_that_left, "P2");
}

TEST_CASE("simulation: an engine that trusts a store that was opened anew is found out") {
  find_defect(Defect::trusts_reopened_store, "P2");
}

TEST_CASE("simulation: an erasure that forgets the keys of orders is found out") {
  find_defect(Defect::keeps_keys_of_orders, "erasure");
}

TEST_CASE("simulation: an erasure of an order that forgets its key is found out") {
  find_defect(Defect::keeps_keys_of_guests, "erasure of an order");
}

TEST_CASE("simulation: an engine that releases a hold twice is found out") {
  find_defect(Defect::releases_twice, "P3");
}

TEST_CASE("simulation: a SKU that does not know which orders are over is found out") {
  find_defect(Defect::forgets_orders_that_are_over, "P3");
}

TEST_CASE("simulation: a read model whose checkpoint outlives its last batch is found out") {
  find_defect(Defect::checkpoint_without_effects, "P5");
}

}  // namespace souk::simulation
