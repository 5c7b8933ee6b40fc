#include "cluster/control/control_state.h"

#include <doctest/doctest.h>

#include "tests/control/support.h"

using namespace souk;
using namespace souk::cluster;
using namespace souk::cluster::test;

namespace {

/// a, b and c are alive; shard 0 is owned by a, b stands by.
struct Log {
  ControlState state{4};
  std::int64_t ms = 0;

  Log() {
    for (const std::uint32_t id : {1U, 2U, 3U}) {
      must(NodeJoined{{id}, std::string(1, static_cast<char>('a' + id - 1)), "x", 1});
      must(heard(id, 1));
    }
    must(OwnerFound{shard(0), {1}, 1});
    must(ReplicaWarm{shard(0), {2}});
  }
  static NodeHeard heard(std::uint32_t id, std::uint64_t incarnation) {
    return {.node = {id}, .incarnation = incarnation, .zone = "x", .weight = 1};
  }
  Entry entry(EntryBody body, std::string who = {}) {
    return {noon.plus_ms(++ms), std::move(who), std::move(body)};
  }
  void must(EntryBody body, std::string who = {}) {
    const Entry e = entry(std::move(body), std::move(who));
    REQUIRE_MESSAGE(!state.check(e), *state.check(e));
    REQUIRE(state.fold(e));
  }
  /// Refused, and skipped where it is in the log nevertheless.
  std::string refused(EntryBody body) {
    const Entry e = entry(std::move(body));
    const ControlState before = state;
    const auto no = state.check(e);
    CHECK(!state.fold(e));
    CHECK(state == before);
    return no.value_or("it was taken");
  }
  const ShardState& present(std::size_t number) const { return state.cluster().present[number]; }
};
Move move_of(Move::Kind kind, std::size_t number, std::uint32_t from, std::uint32_t to) {
  return {.kind = kind,
          .shard = shard(number),
          .from = {from},
          .to = {to},
          .reason = Reason::balance,
          .wave = 0};
}

}  // namespace

TEST_CASE("control: an id is given once to a name, and never again") {
  Log log;
  CHECK(log.refused(NodeJoined{{3}, "d", "", 1}) == "the id 3 was given before");
  CHECK(log.refused(NodeJoined{{4}, "b", "", 1}) == "b has joined before");
  CHECK(log.refused(NodeForgotten{{2}}) == "b is alive: stop it first");
  log.must(NodeSilent{{2}});
  log.must(NodeForgotten{{2}});
  CHECK(log.state.id_of("b") == nobody);
  CHECK(!log.state.node({2}));
  CHECK(log.present(0).replicas == std::vector<Replica>{{{1}, Holds::owner, 0}});
  CHECK(log.refused(NodeJoined{{2}, "b", "", 1}) == "the id 2 was given before");
  log.must(NodeJoined{{4}, "b", "", 1});
  CHECK(log.state.id_of("b") == NodeId{4});
  CHECK(log.state.name_of({2}) == "b");
}

TEST_CASE("control: presence is folded, and a restart is an absence") {
  Log log;
  CHECK(log.refused(Log::heard(1, 2)) == "a is alive already");
  log.must(NodeSilent{{1}});
  CHECK(log.refused(NodeSilent{{1}}) == "a is silent already");
  log.must(Log::heard(1, 2));
  CHECK(log.state.node({1})->presence.departures.size() == 1);
  CHECK(log.state.details({1})->incarnation == 2);
  CHECK(log.refused(NodeSilent{{9}}) == "there is no node 9");
}

TEST_CASE("control: a clock that is behind does not turn time back") {
  Log log;
  const UnixMs before = log.state.cluster().now;
  log.ms = -100'000;
  log.must(NodeSilent{{1}});
  CHECK(log.state.cluster().now == before);
  CHECK(log.state.node({1})->presence.since == before);
}

TEST_CASE(
    "control: what is configured counts when it changes, and what an operator said until then") {
  Log log;
  log.must(NodeZoned{{1}, "y"}, "ops");
  log.must(NodeWeighted{{1}, 5}, "ops");
  log.must(NodeSilent{{1}});
  log.must(Log::heard(1, 2));
  CHECK(log.state.node({1})->zone == "y");
  CHECK(log.state.node({1})->weight == 5);
  log.must(NodeSilent{{1}});
  NodeHeard heard = Log::heard(1, 3);
  heard.zone = "z";
  log.must(heard);
  CHECK(log.state.node({1})->zone == "z");
  CHECK(log.state.node({1})->weight == 5);
  CHECK(log.refused(NodeWeighted{{1}, 0}) == "a weight is a number from 1 to 10000");
}

TEST_CASE("control: a copy begins, and ends as a standby or leaves nothing") {
  Log log;
  log.must(MoveBegan{1, move_of(Move::Kind::copy, 0, 1, 3)});
  CHECK(find_replica(log.present(0), {3})->holds == Holds::copying);
  CHECK(log.refused(MoveBegan{2, move_of(Move::Kind::copy, 0, 1, 3)}) == "it is under way");
  SUBCASE("done") {
    log.must(MoveEnded{1, MoveOutcome::done, 0});
    CHECK(find_replica(log.present(0), {3})->holds == Holds::standby);
    CHECK(log.refused(MoveBegan{2, move_of(Move::Kind::copy, 0, 1, 3)}) ==
          "it has a replica already");
  }
  SUBCASE("failed") {
    log.must(MoveEnded{1, MoveOutcome::failed, 0});
    CHECK(!find_replica(log.present(0), {3}));
    CHECK(!log.state.held(shard(0)));
  }
  SUBCASE("lost on the way") {
    log.must(ReplicaLost{shard(0), {3}});
    CHECK(log.refused(MoveEnded{1, MoveOutcome::done, 0}) == "there is no replica");
    log.must(MoveEnded{1, MoveOutcome::failed, 0});
  }
  CHECK(log.refused(MoveEnded{1, MoveOutcome::done, 0}) == "move 1 is not under way");
  CHECK(log.refused(MoveBegan{1, move_of(Move::Kind::copy, 1, 1, 3)}) == "move 1 has begun before");
}

TEST_CASE("control: an owner changes once at a time, and in ascending epochs") {
  Log log;
  CHECK(log.refused(MoveBegan{1, move_of(Move::Kind::hand_over, 0, 1, 3)}) == "it is no standby");
  CHECK(log.refused(MoveBegan{1, move_of(Move::Kind::hand_over, 0, 2, 3)}) ==
        "the owner is another");
  log.must(MoveBegan{1, move_of(Move::Kind::hand_over, 0, 1, 2)});
  CHECK(log.refused(MoveBegan{2, move_of(Move::Kind::start, 0, 1, 3)}) ==
        "another move changes the owner");
  CHECK(log.state.appointed(shard(0)) == NodeId{1});
  CHECK(!log.state.shall_claim(shard(0), {1}, 1, {{1}, 1, 1}));
  CHECK(log.state.shall_claim(shard(0), {1}, 2, {{1}, 1, 1}));
  CHECK(log.state.shall_claim(shard(0), {1}, 1, {{3}, 1, 2}));
  CHECK(!log.state.shall_claim(shard(0), {1}, 1, {{2}, 1, 2}));  // it has handed it over
  CHECK(!log.state.shall_claim(shard(0), {2}, 1, {{1}, 1, 1}));
  CHECK(log.refused(MoveEnded{1, MoveOutcome::done, 1}) == "the epoch is not newer");
  log.must(MoveEnded{1, MoveOutcome::done, 2});
  CHECK(log.present(0).owner == NodeId{2});
  CHECK(find_replica(log.present(0), {1})->holds == Holds::standby);
  CHECK(log.refused(OwnerFound{shard(0), {1}, 2}) == "the epoch is not newer");
  CHECK(log.refused(OwnerFound{shard(0), {2}, 3}) == "it is the owner already");
  log.must(NodeSilent{{2}});
  log.must(MoveBegan{2, move_of(Move::Kind::promote, 0, 2, 1)});
  CHECK(log.state.appointed(shard(0)) == NodeId{1});
  CHECK(log.refused(MoveEnded{2, MoveOutcome::cancelled, 0}) ==
        "a shard without an owner does not wait");
  log.must(OwnerFound{shard(0), {3}, 9});
  CHECK(log.refused(MoveEnded{2, MoveOutcome::done, 10}) == "the owner is another");
}

TEST_CASE("control: the owner drops nothing, a standby is dropped when the move is done") {
  Log log;
  CHECK(log.refused(MoveBegan{1, move_of(Move::Kind::drop, 0, 1, 0)}) == "the owner drops nothing");
  CHECK(log.refused(MoveBegan{1, move_of(Move::Kind::drop, 0, 3, 0)}) == "it has no replica");
  log.must(MoveBegan{1, move_of(Move::Kind::drop, 0, 2, 0)});
  CHECK(find_replica(log.present(0), {2}));
  log.must(MoveEnded{1, MoveOutcome::done, 0});
  CHECK(!find_replica(log.present(0), {2}));
}

TEST_CASE("control: what was cancelled is held until it is asked for") {
  Log log;
  log.must(ShardAsked{shard(0), {2}}, "ops");
  log.must(MoveBegan{1, move_of(Move::Kind::hand_over, 0, 1, 2)}, "ops");
  log.must(MoveEnded{1, MoveOutcome::cancelled, 0}, "ops");
  CHECK(log.state.held(shard(0)));
  CHECK(log.state.cluster().pins.empty());
  SUBCASE("asked") { log.must(ShardAsked{shard(0), {2}}, "ops"); }
  SUBCASE("pinned") { log.must(ShardPinned{shard(0), {2}}, "ops"); }
  SUBCASE("rebalanced") { log.must(ShardsRebalanced{}, "ops"); }
  SUBCASE("a node that has it is drained") {
    log.must(NodeWished{{3}, Wish::drained}, "ops");
    CHECK(log.state.held(shard(0)));
    log.must(NodeWished{{1}, Wish::drained}, "ops");
  }
  SUBCASE("another owner") { log.must(OwnerFound{shard(0), {2}, 2}); }
  CHECK(!log.state.held(shard(0)));
}

TEST_CASE("control: what was asked ends when the node leaves, a pin does not") {
  Log log;
  log.must(ShardAsked{shard(0), {2}}, "ops");
  log.must(ShardPinned{shard(1), {2}}, "ops");
  CHECK(log.state.cluster().pins ==
        std::vector<Pin>{{shard(0), {2}, Reason::asked}, {shard(1), {2}, Reason::pin}});
  CHECK(log.state.asked_by(shard(0)) == "ops");
  CHECK(log.refused(ShardAsked{shard(1), {1}}) == "shard 1 is pinned to b: unpin it first");
  CHECK(log.refused(ShardUnpinned{shard(0)}) == "shard 0 is not pinned");
  SUBCASE("silent") { log.must(NodeSilent{{2}}); }
  SUBCASE("drained") { log.must(NodeWished{{2}, Wish::drained}); }
  SUBCASE("rebalanced") { log.must(ShardsRebalanced{}); }
  CHECK(log.state.cluster().pins == std::vector<Pin>{{shard(1), {2}, Reason::pin}});
  log.must(ShardUnpinned{shard(1)});
  CHECK(log.state.cluster().pins.empty());
}

TEST_CASE("control: a shard is asked only to a node that is alive and serves") {
  Log log;
  log.must(NodeWished{{2}, Wish::cordoned});
  log.must(NodeSilent{{3}});
  CHECK(log.refused(ShardAsked{shard(0), {2}}) == "b is cordoned");
  CHECK(log.refused(ShardAsked{shard(0), {3}}) == "c is silent");
  CHECK(log.refused(ShardAsked{shard(4), {1}}) == "there is no shard 4");
  CHECK(log.refused(PlacementWanted{{{shard(0), {{9}, nobody}}}}) == "there is no node 9");
  CHECK(log.refused(PlacementWanted{{{shard(4), {}}}}) == "there is no shard 4");
}

TEST_CASE("control: the history says who did what when, and keeps the newest 10,000") {
  Log log;
  log.must(NodeWished{{2}, Wish::drained}, "ann");
  log.must(MoveBegan{1, move_of(Move::Kind::copy, 0, 1, 3)});
  log.must(MoveEnded{1, MoveOutcome::failed, 0});
  log.must(PlacementWanted{{{shard(0), {}}, {shard(1), {}}}});
  const auto lines = log.state.history(4);
  REQUIRE(lines.size() == 4);
  CHECK(lines[0].who == "ann");
  CHECK(lines[0].what == "b is drained");
  CHECK(lines[0].at == noon.plus_ms(log.ms - 3));
  CHECK(lines[1].who == "controller");
  CHECK(lines[1].what ==
        "move 1 (shard 0: copy from a to c) began: another node had more than its share");
  CHECK(lines[2].what == "move 1 (shard 0: copy from a to c) failed");
  CHECK(lines[3].what == "the placement changed for 2 shards");
  for (std::size_t i = 0; i <= history_max; ++i) log.must(OperatorNote{std::to_string(i)}, "ann");
  CHECK(log.state.history().size() == history_max);
  CHECK(log.state.history().front().what == "1");
}

TEST_CASE("control: versions grow with what placement and plan depend on") {
  Log log;
  const auto changes = [&](EntryBody body) {
    const auto version = log.state.version(), placement = log.state.placement_version();
    log.must(std::move(body));
    return std::pair(log.state.version() > version, log.state.placement_version() > placement);
  };
  CHECK(changes(OperatorNote{"x"}) == std::pair(false, false));
  CHECK(changes(PlacementWanted{{{shard(0), {{1}, {2}}}}}) == std::pair(true, false));
  CHECK(changes(MoveBegan{1, move_of(Move::Kind::copy, 0, 1, 3)}) == std::pair(true, false));
  CHECK(changes(NodeSilent{{3}}) == std::pair(true, true));
  CHECK(changes(ShardPinned{shard(2), {1}}) == std::pair(true, true));
  CHECK(changes(MoveEnded{1, MoveOutcome::failed, 0}) == std::pair(true, true));
}
