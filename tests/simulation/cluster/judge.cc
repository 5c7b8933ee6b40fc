#include "tests/simulation/cluster/judge.h"

#include "tests/simulation/states.h"

namespace souk::simulation {
std::string unserved(const Town& town, const SimPeers& members) {
  for (std::uint16_t s = 0; s < town.options.shards; ++s) {
    const ShardId shard{s};
    const std::string name = "shard " + std::to_string(s);
    const Counting& log = town.events.standing(shard);
    bool owned = false;
    for (const auto& member : members) {
      if (!member->lives()) return "node " + member->name() + " does not live";
      if (const auto why = member->halted(); !why.empty())
        return "node " + member->name() + " reads no further: " + why;
      const auto epoch = member->owns(shard);
      if (epoch && *epoch == log.epoch && member->incarnation() == log.incarnation) owned = true;
    }
    if (!owned)
      return name + " is owned by incarnation " + std::to_string(log.incarnation) + " in epoch " +
             std::to_string(log.epoch) + ", which does not serve it";
  }
  return {};
}

void judge_reigns(const Town& town) {
  for (std::uint16_t s = 0; s < town.options.shards; ++s) {
    Counting counting;
    std::map<std::uint64_t, std::uint64_t> owners;
    for (const auto& record : town.events.log({s})) {
      (void)counting.counts(record);
      owners[counting.epoch] = counting.incarnation;
    }
    for (const auto& [reign, incarnation] : town.reigns)
      if (reign.first == s &&
          (!owners.contains(reign.second) || owners[reign.second] != incarnation))
        town.world.violated("P4", "incarnation " + std::to_string(incarnation) +
                                      " said to own shard " + std::to_string(s) + " in epoch " +
                                      std::to_string(reign.second) + ", which is another's");
  }
}

void judge_members(const Town& town, const SimPeers& members) {
  const auto records = town.events.records();
  ReadLogs logs(records, town.options.shards);
  EngineOptions options = town.options;
  options.clustered = true;
  for (const auto& member : members) {
    WorldRandomness randomness(town.world);
    SimStateStore nothing(town.world, SimStateStore::Memory::sound);
    const Recovers by{town.world, options, logs, member->clock(), randomness, town.presenter};
    const States from_log = recovered(by, nothing);
    catch_up_with_store(town.world, member->hosts(), member->states());
    compare(town.world, "node " + member->name(), from_log,
            all_states(states_of(member->hosts()), member->states(), options.shards));
    compare(town.world, "the store of node " + member->name() + " with the log's tail", from_log,
            recovered(by, member->states()));
  }
}

}  // namespace souk::simulation
