// Who shall own what, in random clusters: the seeds are printed with a failure.
#include "cluster/placement.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/cluster/world.h"

using namespace souk;
using namespace souk::cluster;
using namespace souk::cluster::test;

namespace {

/// W4, from the shares as anybody would compute them. REQUIRES: no pins, all are places.
template <NodeId Wanted::*seat>
void check_balance(const Cluster& cluster, const Placement& wanted, std::uint32_t slack) {
  auto counts = count<seat>(wanted);
  double weights = 0;
  for (const Node& n : cluster.nodes) weights += n.weight;
  for (const Node& n : cluster.nodes) {
    const double share = static_cast<double>(wanted.size()) * n.weight / weights;
    RC_LOG() << n.name << n.zone << " weighs " << n.weight << ", has " << counts[n.id.value]
             << " of " << share << '\n';
  }
  for (const Node& n : cluster.nodes) {
    const double share = static_cast<double>(wanted.size()) * n.weight / weights;
    RC_ASSERT(counts[n.id.value] <= std::ceil(share - 1e-9) + slack);
    RC_ASSERT(counts[n.id.value] + slack >= std::floor(share + 1e-9));
  }
}

/// No node and no zone has near half of the weight: else where standbys may be is what owners leave.
bool nobody_is_heavy(const Cluster& cluster) {
  std::map<std::string, std::uint32_t> zones;
  std::uint32_t all = 0, heaviest = 0;
  for (const Node& n : cluster.nodes) {
    zones[n.zone] += n.weight;
    all += n.weight;
    heaviest = std::max(heaviest, n.weight);
  }
  if (zones.size() == 1) return 5 * heaviest <= 2 * all;
  return std::all_of(zones.begin(), zones.end(),
                     [&](const auto& z) { return 5 * z.second <= 2 * all; });
}

void shuffle(std::vector<Node>& nodes) {
  for (std::size_t i = nodes.size(); i > 1; --i)
    std::swap(nodes[i - 1], nodes[*rc::gen::inRange<std::size_t>(0, i)]);
}

}  // namespace

TEST_CASE("placement: a shard has an owner, who is alive, if and only if a node is alive") {
  CHECK(rc::check([] {
    const Cluster cluster = any_cluster();
    const bool anybody = anybody_lives(cluster);
    for (const Wanted& wanted : place(cluster)) {
      RC_ASSERT((wanted.owner != nobody) == anybody);
      if (anybody) RC_ASSERT(lives(cluster, wanted.owner));
    }
  }));
}

TEST_CASE("placement: owner and standby differ, and so do their zones where there are two") {
  CHECK(rc::check([] {
    const Cluster cluster = any_cluster();
    const auto places = places_of(cluster);
    for (const Wanted& wanted : place(cluster)) {
      RC_ASSERT(wanted.standby == nobody || wanted.standby != wanted.owner);
      if (places.empty() || wanted.owner == nobody) continue;
      const Node& owner = *find_node(cluster, wanted.owner);
      const bool others = std::any_of(places.begin(), places.end(),
                                      [&](const Node* n) { return n->zone != owner.zone; });
      if (others) {
        RC_ASSERT(wanted.standby != nobody);
        RC_ASSERT(find_node(cluster, wanted.standby)->zone != owner.zone);
      }
      if (places.size() > 1) RC_ASSERT(wanted.standby != nobody);
    }
  }));
}

TEST_CASE("placement: a pin decides where its node may own") {
  CHECK(rc::check([] {
    const Cluster cluster = any_cluster();
    const Placement wanted = place(cluster);
    for (const Pin& pin : cluster.pins) {
      const Node* n = find_node(cluster, pin.node);
      if (!n || n->wish == Wish::drained || !settled(n->presence, cluster.now)) continue;
      RC_ASSERT(wanted[pin.shard.value].owner == pin.node);
      RC_ASSERT(wanted[pin.shard.value].owner_why == Reason::pin);
    }
  }));
}

TEST_CASE("placement: who is no place keeps what it has and gets nothing, the drained give all") {
  CHECK(rc::check([] {
    const Cluster cluster = any_cluster();
    if (places_of(cluster).empty()) return;
    const Placement wanted = place(cluster);
    for (std::size_t shard = 0; shard < wanted.size(); ++shard) {
      const ShardState& present = cluster.present[shard];
      const bool pinned = wanted[shard].owner_why == Reason::pin;
      for (const Node& n : cluster.nodes) {
        if (is_place(cluster, n)) continue;
        const bool owns = wanted[shard].owner == n.id, stands_by = wanted[shard].standby == n.id;
        if (n.wish == Wish::drained) RC_ASSERT(!owns && !stands_by);
        if (owns && !pinned) RC_ASSERT(present.owner == n.id);
        if (stands_by) RC_ASSERT(find_replica(present, n.id));
        if (present.owner == n.id && alive(n.presence) && n.wish != Wish::drained && !pinned)
          RC_ASSERT(owns);
      }
    }
  }));
}

TEST_CASE("placement: owners are within one of the share, and standbys where no one is heavy") {
  CHECK(rc::check([] {
    const Cluster cluster = any_cluster({.ill = false, .pins = false});
    const Placement wanted = place(cluster);
    check_balance<&Wanted::owner>(cluster, wanted, 1);
    if (nobody_is_heavy(cluster)) check_balance<&Wanted::standby>(cluster, wanted, 2);
  }));
}

TEST_CASE("placement: 64 shards on three nodes are 21 or 22 each, of owners and of standbys") {
  const Placement wanted = place(cluster_of({node(1), node(2), node(3)}, 64));
  for (const auto& counts : {count<&Wanted::owner>(wanted), count<&Wanted::standby>(wanted)}) {
    for (const auto& [id, seats] : counts) {
      CHECK(seats >= 21);
      CHECK(seats <= 22);
    }
  }
}

TEST_CASE("placement: a seat that only a third node can pass on is passed on") {
  // c lacks standbys, and a has too many, but all of what c owns: b passes on what it has of a's.
  Cluster cluster = cluster_of({node(1), node(2), node(3, {}, 2)}, 28);
  Placement before(28);
  for (std::size_t i = 0; i < 28; ++i) {
    if (i < 14)
      before[i] = {.owner = {3}, .standby = {1}};
    else
      before[i] =
          i < 21 ? Wanted{.owner = {1}, .standby = {2}} : Wanted{.owner = {2}, .standby = {3}};
  }
  settle(cluster, before);
  const Placement wanted = place(cluster, before);
  CHECK(differ<&Wanted::owner>(before, wanted) == 0);
  auto standbys = count<&Wanted::standby>(wanted);
  CHECK(standbys[1] <= 8);
  CHECK(standbys[3] >= 13);
}

TEST_CASE("placement: a node alone owns everything, without a standby") {
  const Placement wanted = place(cluster_of({node(1)}, 64));
  for (const Wanted& w : wanted)
    CHECK(w == Wanted{{1}, nobody, Reason::first_placed, Reason::stayed});
}

TEST_CASE("placement: pins beyond the share leave a node just those") {
  Cluster cluster = cluster_of({node(1), node(2), node(3)}, 60);
  for (std::uint16_t shard = 0; shard < 30; ++shard) cluster.pins.push_back({{shard}, {2}});
  auto counts = count<&Wanted::owner>(place(cluster));
  CHECK(counts[1] == 15);
  CHECK(counts[2] == 30);
  CHECK(counts[3] == 15);
}

TEST_CASE("placement: nothing changes by placing again, before, during or after the moves") {
  CHECK(rc::check([] {
    Cluster cluster = any_cluster();
    const Placement wanted = place(cluster);
    RC_ASSERT(place(cluster, wanted) == wanted);
    if (!anybody_lives(cluster)) return;
    settle(cluster, wanted);
    RC_ASSERT(place(cluster, wanted) == wanted);
    const Placement again = place(cluster);
    RC_ASSERT(differ<&Wanted::owner>(again, wanted) == 0);
    RC_ASSERT(differ<&Wanted::standby>(again, wanted) == 0);
  }));
}

TEST_CASE("placement: the order of nodes and pins does not matter") {
  CHECK(rc::check([] {
    const Cluster cluster = any_cluster();
    Cluster other = cluster;
    shuffle(other.nodes);
    std::reverse(other.pins.begin(), other.pins.end());
    RC_ASSERT(place(cluster) == place(other));
    RC_ASSERT(plan(cluster, place(cluster)) == plan(other, place(other)));
  }));
}

TEST_CASE("placement: a join moves what the newcomer lacks, and little else") {
  CHECK(rc::check([] {
    Cluster cluster = any_cluster({.ill = false, .pins = false});
    const Placement before = place(cluster);
    settle(cluster, before);
    cluster.nodes.push_back(node(30, cluster.nodes[0].zone, *rc::gen::inRange(1U, 3U)));
    double weights = 0;
    for (const Node& n : cluster.nodes) weights += n.weight;
    const double share = static_cast<double>(before.size()) * cluster.nodes.back().weight / weights;
    const Placement wanted = place(cluster, before);
    const std::size_t moved = differ<&Wanted::owner>(before, wanted);
    RC_LOG() << moved << " moved, share " << share << '\n';
    RC_ASSERT(static_cast<double>(moved) <=
              std::ceil(share) + static_cast<double>(cluster.nodes.size()));
    for (std::size_t shard = 0; shard < wanted.size(); ++shard) {
      if (wanted[shard].owner == NodeId{30})
        RC_ASSERT(wanted[shard].owner_why == Reason::node_joined);
    }
  }));
}

TEST_CASE(
    "placement: of many who have the same, a newcomer takes from all, and nobody else moves") {
  for (const std::uint32_t nodes : {3U, 10U, 25U}) {
    Cluster cluster = cluster_of({}, 1'000);
    for (std::uint32_t id = 1; id <= nodes; ++id) cluster.nodes.push_back(node(id));
    const Placement before = place(cluster);
    settle(cluster, before);
    cluster.nodes.push_back(node(nodes + 1));
    const Placement wanted = place(cluster, before);
    CHECK(differ<&Wanted::owner>(before, wanted) == 1'000 / (nodes + 1));
    CHECK(count<&Wanted::owner>(wanted)[nodes + 1] == 1'000 / (nodes + 1));
  }
}

TEST_CASE("placement: a leave moves what the node had, and little else") {
  CHECK(rc::check([] {
    Cluster cluster = any_cluster({.ill = false, .pins = false});
    const Placement before = place(cluster);
    settle(cluster, before);
    const std::uint32_t leaver = cluster.nodes.back().id.value;
    const std::size_t had = count<&Wanted::owner>(before)[leaver];
    dies(cluster, leaver);
    if (!anybody_lives(cluster)) return;
    const Placement wanted = place(cluster, before);
    RC_ASSERT(differ<&Wanted::owner>(before, wanted) == had);
    for (std::size_t shard = 0; shard < wanted.size(); ++shard) {
      if (wanted[shard].owner == before[shard].owner) continue;
      RC_ASSERT(wanted[shard].owner == before[shard].standby);
      RC_ASSERT(wanted[shard].owner_why == Reason::node_gone);
    }
    settle(cluster, wanted);
    cluster.now = cluster.now.plus_ms(standby_grace_ms);
    const Placement then = place(cluster, wanted);
    const std::size_t moved = differ<&Wanted::owner>(before, then);
    RC_LOG() << moved << " moved, had " << had << '\n';
    RC_ASSERT(moved <= 2 * had + cluster.nodes.size());
    std::erase_if(cluster.nodes, [&](const Node& n) { return n.id.value == leaver; });
    check_balance<&Wanted::owner>(cluster, then, 1);
  }));
}

TEST_CASE("placement: two nodes' order for a shard does not depend on the others") {
  // First placement of one shard: the first choice. Who is chosen stays so where others leave.
  for (std::uint32_t i = 0; i < 50; ++i) {
    Cluster cluster = cluster_of({}, 1);
    for (std::uint32_t id = 1; id <= 5; ++id) cluster.nodes.push_back(node(id + 10 * i));
    const Wanted first = place(cluster)[0];
    std::erase_if(cluster.nodes, [&](const Node& n) { return n.id == first.owner; });
    CHECK(place(cluster)[0].owner == first.standby);
  }
}

TEST_CASE("placement: it says when it may answer otherwise") {
  Cluster cluster = cluster_of({node(1), node(2)}, 8);
  CHECK(!place_again_at(cluster));
  dies(cluster, 2);
  CHECK(place_again_at(cluster) == noon.plus_ms(standby_grace_ms));
  cluster.now = noon.plus_ms(5'000);
  comes(cluster, 2);
  CHECK(place_again_at(cluster) == noon.plus_ms(5'000 + settling_ms_min));
}
