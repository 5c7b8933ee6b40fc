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

namespace {

States of_followed(const SimPeer& member, States states, std::uint32_t shards) {
  std::erase_if(states,
                [&](const auto& one) { return !member.follows(shard_of(one.first, shards)); });
  return states;
}

}  // namespace

void judge_places(const Town& town, const SimPeers& members) {
  for (const auto& member : members) {
    const auto view = member->cluster().view();
    const cluster::NodeId id = view->state.id_of(member->name());
    for (std::uint16_t s = 0; s < town.options.shards; ++s) {
      const ShardId shard{s};
      const auto& present = view->state.cluster().present[s];
      const bool has = present.owner == id || cluster::find_replica(present, id) != nullptr;
      if (member->follows(shard) == (has || member->follows_all())) continue;
      town.world.violated("placement", "node " + member->name() +
                                           (has ? " does not follow shard " : " follows shard ") +
                                           std::to_string(s) + " and should" + (has ? "" : " not"));
    }
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
    const States found = all_states(states_of(member->hosts()), member->states(), options.shards);
    compare(town.world, "node " + member->name(), of_followed(*member, from_log, options.shards),
            of_followed(*member, found, options.shards));
    compare(town.world, "the store of node " + member->name() + " with the log's tail", from_log,
            recovered(by, member->states()));
  }
}

}  // namespace souk::simulation
