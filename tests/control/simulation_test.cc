// The pure parts of the control together, in virtual time, with faults and operators at random.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>

#include "tests/control/town.h"

using namespace souk;
using namespace souk::cluster;
using namespace souk::cluster::test;

namespace {

/// After the last fault, until every shard has an owner: 1.5 s of silence and the claims of eight
/// nodes, another 1.5 s for the new controller's judgement, a stalled move, and what is folded late.
constexpr std::int64_t owners_back_ms = 12'000;

/// A fold by somebody who joins, of the bytes alone.
ControlState folded_anew(const Town& town) {
  ControlState state(town.owners.size());
  for (const std::string& record : town.log.records) {
    if (record.empty()) continue;
    const auto entries = decode_entries(record);
    REQUIRE(entries.ok());
    for (const Entry& entry : *entries) REQUIRE(state.fold(entry));
  }
  return state;
}

std::string last_of_history(const Town& town) {
  std::string text;
  for (const HistoryLine& line : town.log.truth.history(40))
    text += to_rfc3339(line.at) + " " + line.who + ": " + line.what + "\n";
  return text;
}

void check_all_as_wanted(const Town& town) {
  INFO(last_of_history(town));
  const ControlState& state = town.log.truth;
  const bool any =
      std::ranges::any_of(state.cluster().nodes, [](const Node& n) { return alive(n.presence); });
  REQUIRE(any);
  for (const auto& [number, under_way] : state.moves())
    FAIL_CHECK("under way: " << words_of(state.cluster(), under_way.move) << ", log owner "
                             << town.owners[under_way.move.shard.value].node.value << ", epoch "
                             << town.owners[under_way.move.shard.value].epoch << " after "
                             << state.owner_epoch(under_way.move.shard));
  for (std::size_t i = 0; i < town.owners.size(); ++i) {
    CAPTURE(i);
    const ShardState& present = state.cluster().present[i];
    CHECK(town.owners[i].node == present.owner);
    if (state.held({static_cast<std::uint16_t>(i)})) continue;
    const Wanted& wanted = state.wanted()[i];
    CHECK(present.owner == wanted.owner);
    CHECK(present.replicas.size() == (wanted.standby == nobody ? 1U : 2U));
    if (wanted.standby != nobody) CHECK(find_replica(present, wanted.standby));
  }
}

void check_same_everywhere(const Town& town) {
  const ControlState anew = folded_anew(town);
  CHECK(anew == town.log.truth);
  for (const auto& [name, node] : town.living)
    if (node->folded == town.log.records.size()) CHECK(node->state == anew);
}

std::uint64_t seeds() {
  const char* text = std::getenv("SOUK_SIMULATION_SEEDS");
  return text ? std::strtoull(text, nullptr, 10) : 10;
}
std::uint64_t first_seed() {
  const char* text = std::getenv("SOUK_SIMULATION_FIRST_SEED");
  return text ? std::strtoull(text, nullptr, 10) : 1;
}

}  // namespace

TEST_CASE(
    "control simulation: whatever dies, every shard has an owner soon after, and all settles") {
  for (std::uint64_t seed = first_seed(); seed < first_seed() + seeds(); ++seed) {
    CAPTURE(seed);
    std::mt19937_64 dice(seed);
    Town town(seed, 2 + dice() % 7, 1 + dice() % 40);
    for (const std::string& name : town.names)
      if (dice() % 4 > 0) town.start(name);
    for (int i = 0; i < 60; ++i) {
      town.pass_ms(static_cast<std::int64_t>(dice() % 3'000));
      if (dice() % 2) town.any_fault();
      if (dice() % 2) town.order(town.any_command());
    }
    // The last fault: some stay dead.
    town.cut_off.clear();
    for (const std::string& name : town.names) {
      if (dice() % 4 > 0)
        town.start(name);
      else
        town.kill(name);
    }
    town.start(town.names[dice() % town.names.size()]);
    town.pass_ms(owners_back_ms);
    CHECK(town.orphans() == "");
    town.sluggish = false;
    // Until the last node that flapped is a place again, and its share is moved.
    town.pass_ms(settling_ms_max + 60'000, heartbeat_every_ms);
    CHECK(town.orphans() == "");
    check_all_as_wanted(town);
    check_same_everywhere(town);
    const std::size_t records = town.log.records.size();
    town.pass_ms(30'000, heartbeat_every_ms);
    CHECK(town.log.records.size() == records);
  }
}

TEST_CASE("control simulation: a node that flaps moves each shard once, and copies nothing") {
  Town town(7, 4, 32);
  for (auto& [name, zone] : town.zones) zone = "x";
  for (const std::string& name : town.names) town.start(name);
  town.sluggish = false;
  town.pass_ms(60'000);
  check_all_as_wanted(town);
  town.log.owner_moves.clear();
  town.log.copies.clear();
  const NodeId b = town.log.truth.id_of("b");
  const auto had = std::ranges::count(town.log.truth.cluster().present, b, &ShardState::owner);
  const auto flap = [&](std::int64_t away_ms) {
    auto disk = town.living["b"]->holdings;
    town.kill("b");
    town.disks["b"] = std::move(disk);  // it is the same disk
    for (auto& [shard, holding] : town.disks["b"]) holding.holds = Holds::standby;
    town.pass_ms(away_ms);
    town.start("b");
    town.pass_ms(4'000);
  };
  flap(3'000);
  flap(500);
  CHECK(town.log.owner_moves.size() == static_cast<std::size_t>(had));
  for (const auto& [shard, moves] : town.log.owner_moves) CHECK(moves == 1);
  CHECK(town.log.copies.empty());
  for (int i = 0; i < 6; ++i) flap(3'000);
  for (const auto& [shard, moves] : town.log.owner_moves) CHECK(moves <= 2);
  for (const auto& [shard, copies] : town.log.copies) CHECK(copies == 1);
  CHECK(town.orphans() == "");
}

TEST_CASE("control simulation: two who claim at once do not both rule") {
  Town town(3, 5, 8);
  for (const std::string& name : town.names) town.start(name);
  town.pass_ms(20'000);
  CHECK(town.orphans() == "");
  const auto rulers = [&] {
    return std::ranges::count_if(town.living,
                                 [](const auto& node) { return node.second->reign > 0; });
  };
  CHECK(rulers() == 1);
  // The controller goes, comes back with its old belief, and is not listened to.
  const auto ruler =
      std::ranges::find_if(town.living, [](const auto& node) { return node.second->reign > 0; });
  const std::string name = ruler->first;
  town.cut_off.insert(name);
  town.pass_ms(10'000);
  CHECK(rulers() == 2);
  const std::uint64_t epoch = town.log.epoch;
  town.cut_off.clear();
  town.pass_ms(5'000);
  CHECK(rulers() == 1);
  CHECK(town.log.epoch == epoch);
  check_same_everywhere(town);
}
