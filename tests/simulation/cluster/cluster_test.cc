// SOUK_CLUSTER_SEEDS and SOUK_SIMULATION_FIRST_SEED say how many runs, and which is the first. Without
// them it is the same few, until what others find is mended.
#include <doctest/doctest.h>

#include "tests/simulation/cluster/run.h"
#include "tests/simulation/seeds.h"

namespace souk::simulation {
namespace {

constexpr std::uint64_t seeds_usual = 12;
constexpr std::uint64_t seeds_to_find_a_defect = 30;

ClusterOutcome run_seed(std::uint64_t seed, ClusterDefect defect) {
  const SeedRunning running(seed, how_to_repeat_cluster);
  return run_cluster(seed, defect);
}

}  // namespace

TEST_CASE("simulation of a cluster: every promise is kept whatever fails") {
  const std::uint64_t seeds = setting("SOUK_CLUSTER_SEEDS", seeds_usual);
  const std::uint64_t first = setting("SOUK_SIMULATION_FIRST_SEED", 1);
  MESSAGE(seeds << " seeds from " << first
                << " on; repeat with: tools/dev simulate --cluster --seeds " << seeds << " --first "
                << first);
  ClusterOutcome all;
  const auto began = std::chrono::steady_clock::now();
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    const ClusterOutcome one = run_seed(seed, ClusterDefect::none);
    INFO("seed ", seed, ": ", one.violation);
    INFO("repeat with: ", how_to_repeat_cluster(seed));
    CHECK(one.violation.empty());
    all += one;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  MESSAGE(seeds << " seeds from " << first << " in " << took.count() << " s: " << all.commands
                << " commands, " << all.events << " events in " << all.records << " records, "
                << all.reigns << " reigns, " << all.crashes << " crashes, " << all.disks_lost
                << " disks lost, " << all.failed_starts << " failed starts, " << all.sleeps
                << " sleeps, " << all.cuts << " cuts, " << all.operators
                << " commands of operators, " << all.routed << " frames between nodes, "
                << all.linear << " operations in histories, " << all.steps << " steps, "
                << all.virtual_ms / 1000 << " s of virtual time; served again after "
                << all.served_after_ms << " ms at most");
  if (seeds < seeds_usual) return;
  CHECK(all.crashes > 0);  // or nothing was tested
  CHECK(all.sleeps > 0);
  CHECK(all.cuts > 0);
  CHECK(all.operators > 0);
  CHECK(all.routed > 0);
  CHECK(all.reigns > 2 * seeds);
}

TEST_CASE("simulation of a cluster: the same seed is the same run, byte by byte") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const ClusterOutcome one = run_seed(seed, ClusterDefect::none);
    const ClusterOutcome again = run_seed(seed, ClusterDefect::none);
    CHECK(one.fingerprint == again.fingerprint);
    CHECK(one.steps == again.steps);
  }
}

TEST_CASE("simulation of a cluster: who takes any report of success for an ack is found out") {
  for (std::uint64_t seed = 1; seed <= seeds_to_find_a_defect; ++seed) {
    const std::string violation = run_seed(seed, ClusterDefect::naive).violation;
    if (!violation.starts_with("P1") && !violation.starts_with("P2")) continue;
    MESSAGE("found with seed " << seed << ": " << violation);
    return;
  }
  FAIL_CHECK("nothing was lost in " << seeds_to_find_a_defect << " seeds");
}

}  // namespace souk::simulation
