#include "cluster/control/controller.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/control/support.h"

using namespace souk;
using namespace souk::cluster;
using namespace souk::cluster::test;

namespace {

/// a, b and c, with all shards owned and stood by for.
Desk settled_desk(std::size_t shards = 6) {
  Desk desk(shards);
  for (const char* name : {"a", "b", "c"}) desk.joins(name);
  desk.settle();
  for (std::size_t i = 0; i < shards; ++i) {
    REQUIRE(desk.owner(i) == desk.wanted(i).owner);
    REQUIRE(find_replica(desk.state.cluster().present[i], desk.wanted(i).standby));
  }
  desk.said.clear();
  return desk;
}
std::size_t owned_by(const Desk& desk, const char* name) {
  for (std::size_t i = 0; i < desk.owners.size(); ++i)
    if (desk.owner(i) == desk.id(name)) return i;
  FAIL("it owns nothing");
  return 0;
}

}  // namespace

TEST_CASE("controller: nodes that are heard join, are placed, and get their shards") {
  Desk desk(6);
  for (const char* name : {"a", "b", "c"}) desk.joins(name);
  desk.pass_ms(silent_after_ms);
  CHECK(desk.said.empty());  // it does not hear itself for long enough
  desk.settle();
  CHECK(desk.all<NodeJoined>().size() == 3);
  CHECK(desk.all<NodeHeard>().size() == 3);
  CHECK(desk.all<PlacementWanted>().size() == 1);
  std::map<NodeId, int> count;
  for (std::size_t i = 0; i < 6; ++i) ++count[desk.owner(i)];
  CHECK(count == std::map<NodeId, int>{{{1}, 2}, {{2}, 2}, {{3}, 2}});
}

TEST_CASE("controller: when nothing changed it places nothing and plans nothing") {
  Desk desk = settled_desk();
  desk.pass_ms(60'000);
  CHECK(desk.said.empty());
  const auto placed = desk.controller.placed(), planned = desk.controller.planned();
  desk.pass_ms(60'000);
  CHECK(desk.controller.placed() == placed);
  CHECK(desk.controller.planned() == planned);
}

TEST_CASE("controller: a node is silent after 1.5 s, and its shards are promoted at once") {
  Desk desk = settled_desk();
  const std::size_t lost = owned_by(desk, "b");
  const NodeId b = desk.id("b"), heir = desk.wanted(lost).standby;
  desk.dies("b");
  desk.pass_ms(silent_after_ms - 250);
  CHECK(desk.said.empty());
  desk.pass_ms(250);
  CHECK(desk.all<NodeSilent>() == std::vector{NodeSilent{b}});
  const auto began = desk.all<MoveBegan>();
  CHECK(began.size() == 2);
  CHECK(std::ranges::all_of(began,
                            [](const MoveBegan& m) { return m.move.kind == Move::Kind::promote; }));
  CHECK(desk.state.appointed(shard(lost)) == heir);
  desk.obey();
  desk.beat();
  CHECK(desk.owner(lost) == heir);
  CHECK(desk.state.moves().empty());
}

TEST_CASE("controller: who does not hear itself judges nobody") {
  Desk desk = settled_desk();
  desk.dies("a");
  desk.dies("b");
  desk.pass_ms(20'000);
  CHECK(desk.said.empty());
}

TEST_CASE("controller: a restart gives the shards to their standbys, and then the node is heard") {
  Desk desk = settled_desk();
  const NodeId b = desk.id("b");
  desk.node("b").incarnation = 2;
  desk.beat();
  REQUIRE(desk.said.size() == 5);
  CHECK(std::get<NodeSilent>(desk.said[0].body).node == b);
  CHECK(std::holds_alternative<PlacementWanted>(desk.said[1].body));
  CHECK(std::get<MoveBegan>(desk.said[2].body).move.kind == Move::Kind::promote);
  CHECK(std::get<MoveBegan>(desk.said[3].body).move.kind == Move::Kind::promote);
  CHECK(std::get<NodeHeard>(desk.said[4].body).incarnation == 2);
  desk.settle();
  desk.pass_ms(settling_ms_min);
  desk.settle();
  CHECK(std::ranges::none_of(desk.all<MoveBegan>(),
                             [](const MoveBegan& m) { return m.move.kind == Move::Kind::copy; }));
  CHECK(desk.owner(owned_by(desk, "b")) == b);  // they were handed back
}

TEST_CASE("controller: a copy ends when the node reports a standby that is warm") {
  Desk desk = settled_desk();
  desk.joins("d");
  desk.beat();
  const auto began = desk.all<MoveBegan>();
  REQUIRE(!began.empty());
  const Move copy = began.front().move;
  REQUIRE(copy.kind == Move::Kind::copy);
  const std::size_t number = copy.shard.value;
  const std::string owner = desk.state.name_of(desk.owner(number));
  desk.holds(owner, number, Holds::owner, 5'000);
  desk.holds("d", number, Holds::copying, 100);
  desk.beat();
  CHECK(desk.state.under_way(copy));
  desk.holds("d", number, Holds::standby, 5'000 - warm_lag_max);
  desk.beat();
  CHECK(desk.state.under_way(copy));
  desk.holds("d", number, Holds::standby, 5'000 - warm_lag_max + 1);
  desk.beat();
  CHECK(!desk.state.under_way(copy));
  CHECK(find_replica(desk.state.cluster().present[number], desk.id("d"))->holds == Holds::standby);
}

TEST_CASE("controller: a move that gets nowhere for 5 s fails, and is planned anew") {
  Desk desk = settled_desk();
  desk.joins("d");
  desk.beat();
  const MoveBegan copy = desk.all<MoveBegan>().front();
  REQUIRE(copy.move.kind == Move::Kind::copy);
  const auto failed = [&] {
    return std::ranges::count(desk.all<MoveEnded>(),
                              MoveEnded{copy.number, MoveOutcome::failed, 0});
  };
  for (Offset next = 1; next <= 10; ++next) {  // slow, but it gets on
    desk.holds("d", copy.move.shard.value, Holds::copying, next);
    desk.pass_ms(2'000);
  }
  CHECK(failed() == 0);
  desk.pass_ms(move_stalled_ms - 2'000);
  CHECK(failed() == 0);
  desk.pass_ms(250);
  CHECK(failed() == 1);
  CHECK(desk.state.under_way(copy.move));  // another one
}

TEST_CASE("controller: a hand-off ends when the log names the node in its present incarnation") {
  Desk desk = settled_desk();
  const std::size_t number = owned_by(desk, "a");
  const NodeId to = desk.wanted(number).standby;
  const std::string name = desk.state.name_of(to);
  CHECK(desk.order({"ann", MoveShard{shard(number), name}}) == "done");
  desk.beat();
  const MoveUnderWay* move = desk.state.owner_move(shard(number));
  REQUIRE(move);
  CHECK(move->move.kind == Move::Kind::hand_over);
  CHECK(move->who == "ann");
  LogOwner& owner = desk.owners[number];
  const std::uint64_t epoch = owner.epoch;
  owner = {to, 99, epoch + 1};
  desk.beat();
  CHECK(desk.state.owner_move(shard(number)));
  owner = {to, 1, epoch};
  desk.beat();
  CHECK(desk.state.owner_move(shard(number)));
  owner = {to, 1, epoch + 1};
  desk.beat();
  CHECK(desk.owner(number) == to);
  CHECK(desk.state.owner_epoch(shard(number)) == epoch + 1);
}

TEST_CASE("controller: a shard that was moved stays there until its node leaves, or a rebalance") {
  Desk desk = settled_desk(30);
  const NodeId b = desk.id("b");
  std::vector<std::size_t> asked;
  for (int i = 0; i < 14; ++i) {  // more than its share
    asked.push_back(owned_by(desk, desk.owner(0) == desk.id("a") || i % 2 ? "a" : "c"));
    CHECK(desk.order({"ann", MoveShard{shard(asked.back()), "b"}}) == "done");
    desk.settle();
    CHECK(desk.owner(asked.back()) == b);
  }
  const auto stay = [&] {
    return std::ranges::count(asked, b, [&](std::size_t i) { return desk.owner(i); });
  };
  desk.joins("d");
  desk.settle();
  CHECK(stay() == 14);
  SUBCASE("rebalance") {
    CHECK(desk.order({"ann", Rebalance{}}) == "done");
    desk.settle();
    CHECK(stay() <= 9);
  }
  SUBCASE("it leaves") {
    desk.dies("b");
    desk.settle();
    CHECK(stay() == 0);
  }
  CHECK(desk.state.cluster().pins.empty());
}

TEST_CASE("controller: a cancelled move stays cancelled until it is asked for") {
  Desk desk = settled_desk();
  const std::size_t number = owned_by(desk, "a");
  const std::string to = desk.state.name_of(desk.wanted(number).standby);
  const OperatorCommand command{"ann", MoveShard{shard(number), to}};
  desk.order(command);
  desk.beat();
  REQUIRE(desk.state.owner_move(shard(number)));
  CHECK(desk.order({"bob", CancelMove{desk.state.last_move()}}) == "done");
  CHECK(desk.order({"bob", CancelMove{desk.state.last_move()}}) ==
        "move " + std::to_string(desk.state.last_move()) + " is not under way");
  desk.pass_ms(120'000);
  CHECK(desk.state.moves().empty());
  CHECK(desk.owner(number) == desk.id("a"));
  desk.order(command);
  desk.settle();
  CHECK(desk.owner(number) == desk.id(to));
}

TEST_CASE("controller: an owner that the moves do not explain is found in the log") {
  Desk desk = settled_desk();
  const std::size_t number = owned_by(desk, "a");
  const NodeId other = desk.wanted(number).standby;
  desk.owners[number] = {other, 1, desk.owners[number].epoch + 1};
  desk.beat();
  CHECK(desk.all<OwnerFound>() ==
        std::vector{OwnerFound{shard(number), other, desk.owners[number].epoch}});
  desk.settle();
  CHECK(desk.owner(number) == desk.id("a"));  // it was not asked for, and is handed back
}

TEST_CASE("controller: a promotion that another owner came before is over") {
  Desk desk = settled_desk();
  const std::size_t number = owned_by(desk, "b");
  desk.dies("b");
  desk.pass_ms(silent_after_ms);
  const NodeId heir = desk.state.appointed(shard(number));
  const NodeId other = heir == desk.id("a") ? desk.id("c") : desk.id("a");
  desk.owners[number] = {other, 1, 77};
  desk.beat();
  CHECK(desk.owner(number) == other);
  CHECK(std::ranges::count(desk.all<MoveEnded>(), MoveOutcome::failed, &MoveEnded::outcome) == 1);
}

TEST_CASE("controller: a standby that the node does not report is lost, and copied again") {
  Desk desk = settled_desk();
  const std::size_t number = owned_by(desk, "a");
  const NodeId standby = desk.wanted(number).standby;
  auto& holdings = desk.node(desk.state.name_of(standby)).holdings;
  std::erase_if(holdings, [&](const Holding& h) { return h.shard == shard(number); });
  desk.beat();
  CHECK(desk.all<ReplicaLost>() == std::vector{ReplicaLost{shard(number), standby}});
  REQUIRE(desk.all<MoveBegan>().size() == 1);
  CHECK(desk.all<MoveBegan>()[0].move.kind == Move::Kind::copy);
}

TEST_CASE("controller: a standby that is wanted and reported is warm without another copy") {
  Desk desk = settled_desk();
  const std::size_t number = owned_by(desk, "a");
  const NodeId standby = desk.wanted(number).standby;
  desk.fold({desk.now(), {}, ReplicaLost{shard(number), standby}});
  desk.beat();
  CHECK(desk.all<ReplicaWarm>() == std::vector{ReplicaWarm{shard(number), standby}});
  CHECK(desk.all<MoveBegan>().empty());
}

TEST_CASE("controller: a node takes part in eight copies and hand-offs, those under way included") {
  Desk desk = settled_desk(60);
  desk.joins("d");
  for (int i = 0; i < 12; ++i) {
    desk.beat();
    std::map<NodeId, std::uint32_t> busy;
    for (const auto& [number, under_way] : desk.state.moves()) {
      if (under_way.move.kind == Move::Kind::drop) continue;
      ++busy[under_way.move.from];
      ++busy[under_way.move.to];
    }
    for (const auto& [node, moves] : busy) CHECK(moves <= moves_per_node_max);
    if (i == 0) CHECK(busy[desk.id("d")] == moves_per_node_max);
    desk.obey();
    // Half of them stay under way.
    bool keep = false;
    for (LogOwner& owner : desk.owners) {
      if (owner.node == desk.id("d") && (keep = !keep)) owner.incarnation = 99;
    }
  }
}

TEST_CASE("controller: what is too much for a record comes with the next") {
  Desk desk(entries_per_record_max + 100);
  desk.joins("a");
  for (int i = 0; i < 8; ++i) {
    desk.steady = desk.steady.plus_ms(heartbeat_every_ms);
    ++desk.node("a").sequence;
    desk.heard.take(desk.node("a"), desk.steady);
  }
  std::vector<std::size_t> sizes;
  for (;;) {
    const auto entries = desk.controller.decide(desk.state, desk.seen());
    if (entries.empty()) break;
    sizes.push_back(entries.size());
    for (const Entry& entry : entries) REQUIRE(desk.state.fold(entry));
  }
  CHECK(sizes == std::vector<std::size_t>{1, 1, 1, entries_per_record_max, 100});
}
