#pragma once
/// One run of a whole cluster: a shop, its customers at any node, nodes that crash, sleep and are
/// cut off, brokers that are late, operators who move things; all from one seed.
#include <cstdint>
#include <string>

namespace souk::simulation {

/// Defects that the simulation must find.
enum class ClusterDefect {
  none,
  naive,  // a report of success acknowledges, wherever the record stands
};

struct ClusterOutcome {
  std::string violation;  // empty: every promise was kept
  std::uint64_t commands = 0, events = 0, records = 0, steps = 0, fingerprint = 0;
  std::uint64_t crashes = 0, disks_lost = 0, failed_starts = 0, sleeps = 0, cuts = 0, reigns = 0,
                operators = 0, passed_over = 0, routed = 0, linear = 0;
  std::int64_t virtual_ms = 0;
  std::int64_t served_after_ms = 0;  // the faults ended: every shard has an owner again
  ClusterOutcome& operator+=(const ClusterOutcome& other);
};

ClusterOutcome run_cluster(std::uint64_t seed, ClusterDefect defect);

/// The command that repeats it.
std::string how_to_repeat_cluster(std::uint64_t seed);

}  // namespace souk::simulation
