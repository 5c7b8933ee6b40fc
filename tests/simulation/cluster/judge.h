#pragma once
/// What must hold of a cluster, beside what must hold of any node.
#include <string>

#include "tests/simulation/cluster/trouble.h"

namespace souk::simulation {

/// In words, which shard nobody serves: who owns it by its log must live and know it, and nobody
/// else may believe to own it in that epoch. Empty: each is served.
std::string unserved(const Town& town, const SimPeers& members);
/// P4: who said to own a shard in an epoch is whom the log names.
void judge_reigns(const Town& town);
/// At rest a node follows what it has by the control log, and all where it has read models.
void judge_places(const Town& town, const SimPeers& members);
/// P6: all nodes have the states that the log makes, of the shards that they follow in memory and by a recovery from their disks.
/// REQUIRES: no faults any more, and all nodes are at rest.
void judge_members(const Town& town, const SimPeers& members);

}  // namespace souk::simulation
