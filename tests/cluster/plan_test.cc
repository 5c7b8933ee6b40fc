// The way to what is wanted, followed move by move in random clusters; and nodes that flap.
#include "cluster/plan.h"

#include <doctest/doctest.h>

#include <random>

#include "tests/cluster/world.h"

using namespace souk;
using namespace souk::cluster;
using namespace souk::cluster::test;

namespace {

bool warm_standby(const Cluster& cluster, const ShardState& shard) {
  return std::any_of(shard.replicas.begin(), shard.replicas.end(), [&](const Replica& r) {
    return r.holds == Holds::standby && r.lag < warm_lag_max && lives(cluster, r.node);
  });
}

/// What a move needs, as L1 to L3 say it.
void check_move(const Cluster& cluster, const ShardState& before, const Wanted& wanted,
                const Move& move) {
  const Replica* to = find_replica(before, move.to);
  RC_LOG() << words_of(cluster, move) << '\n';
  switch (move.kind) {
    case Move::Kind::promote:
      RC_ASSERT(!lives(cluster, before.owner));
      RC_ASSERT(to && to->holds == Holds::standby);
      break;
    case Move::Kind::start:
      RC_ASSERT(!lives(cluster, before.owner));
      for (const Replica& r : before.replicas)
        RC_ASSERT(r.holds == Holds::copying || !lives(cluster, r.node));
      break;
    case Move::Kind::hand_over:
      RC_ASSERT(move.from == before.owner);
      RC_ASSERT(to && to->holds == Holds::standby && to->lag < warm_lag_max);
      break;
    case Move::Kind::copy:
      RC_ASSERT(!to);
      break;
    case Move::Kind::drop:
      RC_ASSERT(move.from != before.owner);
      break;
  }
  if (move.to != nobody) RC_ASSERT(lives(cluster, move.to));
  const ShardState then = after(before, move);
  RC_ASSERT(lives(cluster, then.owner));
  if (lives(cluster, before.owner) && warm_standby(cluster, before) && wanted.standby != nobody)
    RC_ASSERT(warm_standby(cluster, then));
}

/// L5, of what is under way together.
void check_slots(const Cluster& cluster, const std::vector<Move>& moves) {
  std::map<std::uint32_t, std::uint32_t> busy, running;
  for (const ShardState& shard : cluster.present) {
    for (const Replica& r : shard.replicas) {
      if (r.holds == Holds::copying && lives(cluster, r.node)) {
        ++running[r.node.value];
        ++running[shard.owner.value];
      }
    }
  }
  for (const Move& move : moves) {
    if (move.wave != 0) continue;
    if (move.kind != Move::Kind::copy && move.kind != Move::Kind::hand_over) continue;
    for (const NodeId id : {move.from, move.to}) {
      const std::uint32_t now = ++busy[id.value] + running[id.value];
      RC_ASSERT(now <= moves_per_node_max);
    }
  }
}

/// Whoever is alive gets on: copies become standbys, standbys catch up; each now or later.
void get_on(Cluster& cluster, std::mt19937& random) {
  for (ShardState& shard : cluster.present) {
    for (Replica& r : shard.replicas) {
      if (!lives(cluster, r.node) || !lives(cluster, shard.owner) || random() % 3 == 0) continue;
      if (r.holds == Holds::copying)
        r = {r.node, Holds::standby, random() % 3 * 700};
      else
        r.lag = 0;
    }
  }
}

void get_on_at_once(Cluster& cluster) {
  for (ShardState& shard : cluster.present)
    for (Replica& r : shard.replicas)
      if (r.holds == Holds::copying && lives(cluster, r.node)) r.holds = Holds::standby;
}

void check_reached(const Cluster& cluster, const Placement& wanted) {
  for (std::size_t shard = 0; shard < wanted.size(); ++shard) {
    const ShardState& state = cluster.present[shard];
    RC_ASSERT(state.owner == wanted[shard].owner);
    if (wanted[shard].owner == nobody) continue;
    const NodeId standby = wanted[shard].standby;
    if (standby != nobody) RC_ASSERT(find_replica(state, standby));
    if (standby == nobody || lives(cluster, standby))
      RC_ASSERT(state.replicas.size() == (standby == nobody ? 1U : 2U));
  }
}

std::string all_words(const Cluster& cluster, const std::vector<Move>& moves) {
  std::string all;
  for (const Move& move : moves) all += words_of(cluster, move) + "\n";
  return all;
}

}  // namespace

TEST_CASE("plan: step by step it ends where it is wanted, and no step leaves a shard alone") {
  CHECK(rc::check([] {
    Cluster cluster = any_cluster();
    if (!anybody_lives(cluster)) {
      RC_ASSERT(plan(cluster, place(cluster)).empty());
      return;
    }
    Placement wanted = place(cluster);
    // A controller that starts anew on the way knows the present alone.
    const int forgets_at = *rc::gen::inRange(0, 12);
    std::mt19937 random(*rc::gen::arbitrary<std::uint32_t>());
    int rounds = 0;
    for (int idle = 0; idle < 12; ++rounds) {
      RC_ASSERT(rounds < 400);
      if (rounds == forgets_at) wanted = place(cluster);
      const Placement same = place(cluster, wanted);
      if (cluster.pins.empty()) RC_ASSERT(same == wanted);
      wanted = same;  // a pin may have waited for its node to be promoted
      const auto moves = plan(cluster, wanted);
      check_slots(cluster, moves);
      for (const Move& move : moves) {
        if (move.wave != 0) continue;
        ShardState& shard = cluster.present[move.shard.value];
        check_move(cluster, shard, wanted[move.shard.value], move);
        shard = after(std::move(shard), move);
      }
      idle = moves.empty() ? idle + 1 : 0;
      get_on(cluster, random);
    }
    check_reached(cluster, wanted);
    RC_ASSERT(plan(cluster, place(cluster)).empty());
  }));
}

TEST_CASE("plan: followed in its order to the end, with copies that succeed, it is enough") {
  CHECK(rc::check([] {
    Cluster cluster = any_cluster();
    if (!anybody_lives(cluster)) return;
    for (ShardState& shard : cluster.present)
      for (Replica& r : shard.replicas) r.lag = 0;
    const Placement wanted = place(cluster);
    std::uint32_t wave = 0;
    for (const Move& move : plan(cluster, wanted)) {
      RC_ASSERT(move.wave >= wave);
      if (move.wave != wave) get_on_at_once(cluster);
      wave = move.wave;
      ShardState& shard = cluster.present[move.shard.value];
      check_move(cluster, shard, wanted[move.shard.value], move);
      shard = after(std::move(shard), move);
    }
    get_on_at_once(cluster);
    check_reached(cluster, wanted);
  }));
}

TEST_CASE("plan: a dead owner's standby is promoted first, and nothing is copied for 30 s") {
  Cluster cluster = cluster_of({node(1), node(2), node(3)}, 64);
  Placement wanted = place(cluster);
  settle(cluster, wanted);
  const auto had = count<&Wanted::owner>(wanted)[2];
  dies(cluster, 2);
  const Placement then = place(cluster, wanted);
  auto moves = plan(cluster, then);
  CHECK(std::count_if(moves.begin(), moves.end(), [](const Move& m) {
          return m.kind == Move::Kind::promote && m.wave == 0 && m.reason == Reason::node_gone;
        }) == had);
  for (std::size_t i = 0; i < had; ++i) CHECK(moves[i].kind == Move::Kind::promote);
  CHECK(moves.size() == had);
  for (const Move& move : moves)
    cluster.present[move.shard.value] = after(cluster.present[move.shard.value], move);
  cluster.now = noon.plus_ms(standby_grace_ms - 1);
  CHECK(plan(cluster, place(cluster, then)).empty());
  cluster.now = noon.plus_ms(standby_grace_ms);
  moves = plan(cluster, place(cluster, then));
  CHECK(std::count_if(moves.begin(), moves.end(), [](const Move& m) {
          return m.kind == Move::Kind::copy && m.reason == Reason::node_gone;
        }) >= static_cast<std::ptrdiff_t>(had));
}

TEST_CASE("plan: a hand-off waits for a standby that lags by less than 1,000 records") {
  Cluster cluster = cluster_of({node(1), node(2)}, 1);
  cluster.pins = {{ShardId{0}, {2}}};
  cluster.present[0] = {{1}, {{{1}, Holds::owner, 0}, {{2}, Holds::standby, warm_lag_max}}};
  const Placement wanted = place(cluster);
  CHECK(all_words(cluster, plan(cluster, wanted)) ==
        "shard 0: hand over from a to b (pinned by an operator), after wave 0\n");
  cluster.present[0].replicas[1].lag = warm_lag_max - 1;
  CHECK(all_words(cluster, plan(cluster, wanted)) ==
        "shard 0: hand over from a to b (pinned by an operator)\n");
}

TEST_CASE("plan: while the wanted standby is away, another is not dropped") {
  Cluster cluster = cluster_of({node(1), node(2), node(3)}, 1);
  cluster.present[0] = {
      {1}, {{{1}, Holds::owner, 0}, {{2}, Holds::standby, 0}, {{3}, Holds::standby, 0}}};
  const Placement wanted = {{.owner = {1}, .standby = {2}}};
  CHECK(plan(cluster, wanted).size() == 1);
  dies(cluster, 2);
  CHECK(place(cluster, wanted) == wanted);
  CHECK(plan(cluster, wanted).empty());
}

TEST_CASE("plan: a node takes part in eight moves at once, and not in nine") {
  Cluster cluster = cluster_of({node(1)}, 40);
  settle(cluster, place(cluster));
  cluster.nodes.push_back(node(2));
  const auto wave_0 = [&] {
    const auto moves = plan(cluster, place(cluster));
    return std::count_if(moves.begin(), moves.end(), [](const Move& m) { return m.wave == 0; });
  };
  CHECK(wave_0() == moves_per_node_max);
  cluster.present[0].replicas.push_back({{2}, Holds::copying, 0});
  CHECK(wave_0() == moves_per_node_max - 1);
}

TEST_CASE("plan: a drained node gives all away, standbys first, and ends with nothing") {
  Cluster cluster = cluster_of({node(1), node(2), node(3)}, 30);
  Placement wanted = place(cluster);
  settle(cluster, wanted);
  of(cluster, 1).wish = Wish::drained;
  wanted = place(cluster, wanted);
  for (int round = 0; round < 40; ++round) {
    for (const Move& move : plan(cluster, wanted)) {
      if (move.wave != 0) continue;
      CHECK(move.reason == Reason::drain);
      cluster.present[move.shard.value] = after(cluster.present[move.shard.value], move);
    }
    get_on_at_once(cluster);
  }
  for (const ShardState& shard : cluster.present) {
    CHECK(!find_replica(shard, {1}));
    CHECK(shard.replicas.size() == 2);
  }
}

namespace {

/// A cluster that lives by the second: places, begins what may begin, and copies for two seconds.
struct Life {
  Cluster cluster;
  Placement wanted;
  std::map<std::size_t, int> owner_moves, copies;
  std::map<std::pair<std::size_t, std::uint32_t>, UnixMs> began;

  explicit Life(Cluster c) : cluster(std::move(c)), wanted(place(cluster)) {
    settle(cluster, wanted);
  }
  void second() {
    cluster.now = cluster.now.plus_ms(1'000);
    for (std::size_t shard = 0; shard < cluster.present.size(); ++shard) {
      for (Replica& r : cluster.present[shard].replicas) {
        if (r.holds == Holds::copying && lives(cluster, r.node) &&
            cluster.now >= began[{shard, r.node.value}].plus_ms(2'000))
          r.holds = Holds::standby;
      }
    }
    wanted = place(cluster, wanted);
    for (const Move& move : plan(cluster, wanted)) {
      if (move.wave != 0) continue;
      const std::size_t shard = move.shard.value;
      if (move.kind == Move::Kind::copy) {
        ++copies[shard];
        began[{shard, move.to.value}] = cluster.now;
      } else if (move.kind != Move::Kind::drop) {
        ++owner_moves[shard];
      }
      cluster.present[shard] = after(cluster.present[shard], move);
    }
  }
  void seconds(int n) {
    for (int i = 0; i < n; ++i) second();
  }
  int owned_by(std::uint32_t id) const {
    return static_cast<int>(
        std::count_if(cluster.present.begin(), cluster.present.end(),
                      [&](const ShardState& s) { return s.owner.value == id; }));
  }
};

}  // namespace

TEST_CASE("plan: a node that comes and goes moves nothing twice, and is a place once it stays") {
  for (const int away_s : {3, 40}) {
    CAPTURE(away_s);
    Life life(cluster_of({node(1, "x"), node(2, "y"), node(3, "z"), node(4, "x")}, 64));
    const int had = life.owned_by(2);
    std::map<std::size_t, int> moved, copied;
    for (int i = 0; i < 30; ++i) {
      dies(life.cluster, 2);
      life.seconds(away_s);
      CHECK(life.owned_by(2) == 0);
      comes(life.cluster, 2);
      life.seconds(4);
      if (i < 3) {
        const Presence& presence = of(life.cluster, 2).presence;
        CHECK(settling_ms(presence, life.cluster.now) == 10'000 << i);
      }
      if (i < 2 && away_s == 3) {
        for (const auto& [shard, moves] : life.owner_moves) CHECK(moves == 1);
        CHECK(life.owner_moves.size() == static_cast<std::size_t>(had));
        CHECK(life.copies.empty());
      }
      if (i == 5) moved = life.owner_moves, copied = life.copies;
    }
    // To its standby, and of those that were too many there, on.
    for (const auto& [shard, moves] : life.owner_moves) CHECK(moves <= 2);
    for (const auto& [shard, copies] : life.copies) CHECK(copies == 1);
    CHECK(life.owner_moves.size() <= static_cast<std::size_t>(had) + 6);
    CHECK(life.owner_moves == moved);
    CHECK(life.copies == copied);
    life.owner_moves.clear();
    life.seconds(500);
    CHECK(life.owner_moves.empty());
    life.seconds(300);
    CHECK(life.owned_by(2) >= 15);
    CHECK(life.owner_moves.size() <= 17);
    CHECK(plan(life.cluster, life.wanted).empty());
  }
}

TEST_CASE("plan: a node that restarts gets its shards back after 10 s, and nothing is copied") {
  Life life(cluster_of({node(1), node(2), node(3), node(4)}, 64));
  const int had = life.owned_by(2);
  dies(life.cluster, 2);
  life.seconds(5);
  comes(life.cluster, 2);
  life.seconds(9);
  CHECK(life.owned_by(2) == 0);
  life.seconds(10);
  CHECK(life.owned_by(2) >= had - 1);
  CHECK(life.copies.empty());
}

TEST_CASE("explain: it says where a shard is, why, and what it waits for") {
  Cluster cluster = cluster_of({node(1), node(2), node(3)}, 2);
  cluster.present[0] = {{1}, {{{1}, Holds::owner, 0}, {{2}, Holds::standby, 12'000}}};
  cluster.pins = {{ShardId{0}, {2}}, {ShardId{1}, {3}}};
  dies(cluster, 3);
  cluster.now = cluster.now.plus_ms(12'000);
  const Placement wanted = place(cluster);
  const auto moves = plan(cluster, wanted);
  CHECK(explain(cluster, wanted, moves, {0}) ==
        "a owns it.\n"
        "b stands by, 12000 records behind; it may own it below 1000.\n"
        "Wanted owner: b (pinned by an operator).\n"
        "Wanted standby: a (pinned by an operator).\n"
        "It is pinned to b.\n"
        "Then: shard 0: hand over from a to b (pinned by an operator), after wave 0.\n");
  const std::string other = explain(cluster, wanted, moves, {1});
  CHECK(other.find("Nobody owns it.\n") == 0);
  CHECK(other.find("It is pinned to c, and waits for it: c is away for 12 s.\n") !=
        std::string::npos);
  CHECK(other.find("Now: shard 1: start to ") != std::string::npos);
  for (const std::uint32_t id : {1, 2}) dies(cluster, id);
  const Placement none = place(cluster);
  CHECK(explain(cluster, none, plan(cluster, none), {1}) ==
        "Nobody owns it.\nIt waits for a node: none is alive.\n");
}
