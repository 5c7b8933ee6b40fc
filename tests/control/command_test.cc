#include "cluster/control/command.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/control/support.h"

using namespace souk;
using namespace souk::cluster;
using namespace souk::cluster::test;

namespace {

Desk settled_desk() {
  Desk desk(12);
  for (const char* name : {"a", "b", "c"}) desk.joins(name);
  desk.settle();
  return desk;
}
std::string why(const Desk& desk, const OperatorCommand& command) {
  const auto entries = answer(desk.state, command, desk.now());
  return entries ? "" : entries.error().why;
}

}  // namespace

TEST_CASE("command: what cannot be is refused in words") {
  const Desk desk = settled_desk();
  CHECK(why(desk, {"ann", DrainNode{"x"}}) == "there is no node 'x'");
  CHECK(why(desk, {"ann", MoveShard{shard(12), "a"}}) == "there is no shard 12");
  CHECK(why(desk, {"ann", ForgetNode{"a"}}) == "a is alive: stop it first");
  CHECK(why(desk, {"ann", WeighNode{"a", 0}}) == "a weight is a number from 1 to 10000");
  CHECK(why(desk, {"ann", UnpinShard{shard(1)}}) == "shard 1 is not pinned");
  CHECK(why(desk, {"ann", CancelMove{999'999}}) == "move 999999 is not under way");
  CHECK(why(desk, {"", Rebalance{}}) == "who asks has a name of 1 to 128 bytes");
  CHECK(why(desk, {std::string(who_bytes_max, 'w'), Rebalance{}}).empty());
  CHECK(!why(desk, {std::string(who_bytes_max + 1, 'w'), Rebalance{}}).empty());
  CHECK(why(desk, {"ann", NoteDown{std::string(note_bytes_max, 'n')}}).empty());
  CHECK(!why(desk, {"ann", NoteDown{std::string(note_bytes_max + 1, 'n')}}).empty());
  CHECK(why(desk, {"ann", PutNodeInZone{"a", std::string(zone_bytes_max, 'z')}}).empty());
  CHECK(!why(desk, {"ann", PutNodeInZone{"a", std::string(zone_bytes_max + 1, 'z')}}).empty());
}

TEST_CASE("command: what is so already needs no entry") {
  Desk desk = settled_desk();
  const auto entries = [&](const OperatorCommand& command) {
    return answer(desk.state, command, desk.now())->size();
  };
  CHECK(entries({"ann", UncordonNode{"a"}}) == 0);
  CHECK(entries({"ann", WeighNode{"a", 1}}) == 0);
  CHECK(entries({"ann", PutNodeInZone{"a", ""}}) == 0);
  CHECK(entries({"ann", CordonNode{"a"}}) == 1);
  desk.order({"ann", CordonNode{"a"}});
  CHECK(entries({"ann", CordonNode{"a"}}) == 0);
  CHECK(desk.said.back().who == "ann");
}

TEST_CASE("command: a drain empties the node, and an uncordon fills it") {
  Desk desk = settled_desk();
  const NodeId b = desk.id("b");
  const auto has = [&] {
    return std::ranges::count_if(desk.state.cluster().present, [&](const ShardState& state) {
      return state.owner == b || find_replica(state, b);
    });
  };
  CHECK(has() > 0);
  CHECK(desk.order({"ann", DrainNode{"b"}}) == "done");
  desk.settle();
  CHECK(has() == 0);
  CHECK(desk.order({"ann", UncordonNode{"b"}}) == "done");
  desk.settle();
  CHECK(has() > 0);
}

TEST_CASE("command: a pin moves the shard, for as long as it is there") {
  Desk desk = settled_desk();
  CHECK(desk.order({"ann", PinShard{shard(3), "b"}}) == "done");
  desk.settle();
  CHECK(desk.owner(3) == desk.id("b"));
  CHECK(desk.order({"ann", MoveShard{shard(3), "a"}}) == "shard 3 is pinned to b: unpin it first");
  desk.dies("b");
  desk.settle();
  CHECK(desk.owner(3) != desk.id("b"));
  CHECK(desk.state.cluster().pins.size() == 1);
  desk.joins("b");
  desk.node("b").incarnation = 2;
  desk.pass_ms(settling_ms_min + 1'000);
  desk.settle();
  CHECK(desk.owner(3) == desk.id("b"));
}

TEST_CASE("command: a forgotten node's name joins under a new id") {
  Desk desk = settled_desk();
  const NodeId b = desk.id("b");
  desk.dies("b");
  desk.settle();
  CHECK(desk.order({"ann", ForgetNode{"b"}}) == "done");
  desk.settle();
  for (const ShardState& state : desk.state.cluster().present) CHECK(!find_replica(state, b));
  desk.joins("b");
  desk.node("b").incarnation = 2;
  desk.settle();
  CHECK(desk.id("b") == NodeId{4});
}

TEST_CASE("command: a preview says what would follow, and changes nothing") {
  Desk desk = settled_desk();
  const ControlState before = desk.state;
  const MoveFigures figures{.bytes_of = [](ShardId id) { return 1'000U + id.value; },
                            .hand_over_pause_ms = 7};
  const OperatorCommand drain{"ann", DrainNode{"b"}};
  const auto moves = preview(desk.state, drain, desk.heard, figures, desk.now());
  REQUIRE(moves.ok());
  CHECK(desk.state == before);
  std::size_t hand_overs = 0;
  for (const PreviewedMove& move : *moves) {
    const bool copy = move.move.kind == Move::Kind::copy;
    const bool hand_over = move.move.kind == Move::Kind::hand_over;
    CHECK(move.bytes == (copy ? 1'000U + move.move.shard.value : 0));
    CHECK(move.pause_ms == (hand_over ? 7 : 0));
    CHECK(move.words.find("drained") != std::string::npos);
    hand_overs += hand_over;
  }
  CHECK(hand_overs == 4);
  desk.order(drain);
  desk.beat();
  // What follows already is not of another command.
  const auto note = preview(desk.state, {"ann", NoteDown{"x"}}, desk.heard, figures, desk.now());
  CHECK(note->empty());
  CHECK(!preview(desk.state, {"ann", DrainNode{"x"}}, desk.heard, figures, desk.now()).ok());
}
