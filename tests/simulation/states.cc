#include "tests/simulation/states.h"

#include "actors/shard/hosted.h"

namespace souk::simulation {
namespace {

template <class State>
void gather(const Owner& shard, States& out) {
  shard.replica().residency().each<State>(
      [&](const Hosted<State>& hosted) { out[EntityKey(hosted.id)] = encode(hosted.state); });
}

}  // namespace

States states_of(const std::vector<std::unique_ptr<HostCore>>& cores) {
  States out;
  for (const auto& core : cores)
    for (const auto& shard : core->shards()) {
      gather<UserState>(*shard, out);
      gather<SkuState>(*shard, out);
      gather<CartState>(*shard, out);
      gather<OrderState>(*shard, out);
      gather<EmailState>(*shard, out);
      gather<KeyState>(*shard, out);
    }
  return out;
}

States all_states(States states, StateStore& store, std::uint32_t shards) {
  for (std::uint32_t s = 0; s < shards; ++s)
    (void)store.each(ShardId{static_cast<std::uint16_t>(s)},
                     [&](const EntityKey& entity, StoredState stored) {
                       states.try_emplace(entity, std::move(stored.state));
                       return true;
                     });
  return states;
}

void catch_up_with_store(World& world, const std::vector<std::unique_ptr<HostCore>>& cores,
                         const StateStore& store) {
  for (const auto& core : cores)
    for (const auto& shard : core->shards())
      if (shard->readable() && shard->replica().residency().generation() < store.generation() &&
          !shard->states_reopened().ok())
        world.violated("P6", "the states of a shard cannot be found again");
}

States recovered(const Recovers& by, StateStore& store) {
  const ShardContext context{.options = by.options,
                             .states = store,
                             .clock = by.clock,
                             .randomness = by.randomness,
                             .presenter = by.presenter,
                             .incarnation = 1,
                             .quote_now = {}};
  std::vector<std::unique_ptr<HostCore>> cores;
  for (std::uint32_t h = 0; h < by.options.hosts; ++h) {
    cores.push_back(std::make_unique<HostCore>(h, context, by.logs));
    RecoveryReport report;
    for (auto& shard : cores.back()->shards()) {
      const Status status = shard->recover(report);
      if (status.ok()) continue;
      by.world.violated("P6", "recovery failed: " + status.error().what);
      return {};
    }
  }
  return all_states(states_of(cores), store, by.options.shards);
}

void compare(World& world, const std::string& what, const States& expected, const States& found) {
  for (const auto& [entity, bytes] : expected) {
    const auto at = found.find(entity);
    if (at == found.end())
      world.violated("P6", entity.text() + " is in the journal, and " + what + " does not have it");
    else if (at->second != bytes)
      world.violated(
          "P6", entity.text() + " has other bytes in " + what + " than the journal makes of it");
  }
  for (const auto& [entity, bytes] : found)
    if (!expected.contains(entity))
      world.violated("P6", entity.text() + " is in " + what + " and not in the journal");
}

// ---- logs that are read ----

class ReadLogs::Log final : public ShardLog {
 public:
  Log(const SimJournal::Records& records, std::uint16_t shard) : records_(records), shard_(shard) {}
  LogTicket append(Batch) override { return 0; }
  void claim(std::uint64_t, ClaimDone) override {}
  Status tail(Offset from, const Visit& visit) override {
    for (auto at = records_.lower_bound({shard_, from});
         at != records_.end() && at->first.first == shard_; ++at)
      if (!visit(at->first.second, at->second)) break;
    return Done{};
  }
  bool alone() const override { return true; }

 private:
  const SimJournal::Records& records_;
  const std::uint16_t shard_;
};

ReadLogs::ReadLogs(const SimJournal::Records& records, std::uint32_t shards) {
  for (std::uint32_t s = 0; s < shards; ++s)
    logs_.push_back(std::make_unique<Log>(records, static_cast<std::uint16_t>(s)));
}
ReadLogs::~ReadLogs() = default;
ShardLog& ReadLogs::log(ShardId shard) { return *logs_[shard.value]; }

}  // namespace souk::simulation
