#pragma once
/// Clusters for the tests: made by hand, or at random by RapidCheck, which prints its seed.
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "cluster/placement.h"
#include "cluster/plan.h"

namespace souk::cluster::test {

constexpr UnixMs noon{1'700'000'000'000};

inline Node node(std::uint32_t id, std::string zone = {}, std::uint32_t weight = 1) {
  return {.id = {id},
          .name = std::string(1, static_cast<char>('a' + id - 1)),
          .zone = std::move(zone),
          .weight = weight,
          .wish = Wish::serve,
          .presence = {.heard = Heard::alive, .since = noon.plus_ms(-1'000'000), .departures = {}}};
}
inline Cluster cluster_of(std::vector<Node> nodes, std::size_t shards) {
  return {.now = noon,
          .nodes = std::move(nodes),
          .pins = {},
          .present = std::vector<ShardState>(shards)};
}
inline Node& of(Cluster& cluster, std::uint32_t id) {
  for (Node& n : cluster.nodes)
    if (n.id.value == id) return n;
  throw std::runtime_error("no such node");
}
inline void dies(Cluster& cluster, std::uint32_t id) {
  of(cluster, id).presence = after(of(cluster, id).presence, Heard::silent, cluster.now);
}
inline void comes(Cluster& cluster, std::uint32_t id) {
  of(cluster, id).presence = after(of(cluster, id).presence, Heard::alive, cluster.now);
}
inline bool lives(const Cluster& cluster, NodeId id) {
  const Node* n = find_node(cluster, id);
  return n && alive(n->presence);
}
inline bool anybody_lives(const Cluster& cluster) {
  return std::any_of(cluster.nodes.begin(), cluster.nodes.end(),
                     [](const Node& n) { return alive(n.presence); });
}
/// Of the first kind: what W7 says of the others does not come into it.
inline bool is_place(const Cluster& cluster, const Node& n) {
  return n.wish == Wish::serve && settled(n.presence, cluster.now);
}
inline std::vector<const Node*> places_of(const Cluster& cluster) {
  std::vector<const Node*> places;
  for (const Node& n : cluster.nodes)
    if (is_place(cluster, n)) places.push_back(&n);
  return places;
}

/// As if everything that is wanted had been done long ago.
inline void settle(Cluster& cluster, const Placement& wanted) {
  for (std::size_t shard = 0; shard < wanted.size(); ++shard) {
    ShardState& state = cluster.present[shard];
    state = {wanted[shard].owner, {}};
    if (wanted[shard].owner == nobody) continue;
    state.replicas.push_back({wanted[shard].owner, Holds::owner, 0});
    if (wanted[shard].standby != nobody)
      state.replicas.push_back({wanted[shard].standby, Holds::standby, 0});
    std::sort(state.replicas.begin(), state.replicas.end(),
              [](const Replica& a, const Replica& b) { return a.node < b.node; });
  }
}

template <NodeId Wanted::*seat>
std::map<std::uint32_t, std::uint32_t> count(const Placement& placement) {
  std::map<std::uint32_t, std::uint32_t> counts;
  for (const Wanted& wanted : placement) ++counts[(wanted.*seat).value];
  return counts;
}
template <NodeId Wanted::*seat>
std::size_t differ(const Placement& a, const Placement& b) {
  std::size_t n = 0;
  for (std::size_t shard = 0; shard < a.size(); ++shard) n += a[shard].*seat != b[shard].*seat;
  return n;
}

struct Wild {
  bool zones = true;
  bool ill = true;  // nodes that are away, were away, are cordoned or drained
  bool pins = true;
  bool weights = true;
};

inline Node any_node(std::uint32_t id, std::uint32_t zones, const Wild& wild) {
  using rc::gen::inRange;
  Node n = node(id);
  if (zones > 1) n.zone = std::string(1, static_cast<char>('x' + *inRange(0U, zones)));
  if (wild.weights && *inRange(0, 3) == 0) n.weight = *inRange(1U, 5U);
  if (!wild.ill) return n;
  if (const int wish = *inRange(0, 8); wish < 2)
    n.wish = wish == 0 ? Wish::cordoned : Wish::drained;
  if (const int away = *inRange(0, 8); away < 3) {
    const UnixMs back = noon.plus_ms(-*inRange(0, 60'000));
    n.presence.departures.assign(*inRange<std::size_t>(1, 5), back.plus_ms(-1));
    n.presence.since = back;
    if (away < 2) n.presence.heard = Heard::silent;
  }
  return n;
}

/// Something of everything, also what never was: owners that are unknown, three copies.
inline ShardState any_shard(std::uint32_t nodes) {
  using rc::gen::inRange;
  ShardState state;
  for (std::uint32_t id = 1; id <= nodes + 1; ++id) {
    if (*inRange(0U, nodes + 1) >= 2) continue;
    const bool owns = state.owner == nobody && *inRange(0, 2) == 0;
    if (owns) state.owner = {id};
    state.replicas.push_back({{id},
                              owns                  ? Holds::owner
                              : *inRange(0, 2) == 0 ? Holds::copying
                                                    : Holds::standby,
                              owns ? 0 : *inRange<std::uint64_t>(0, 3) * 700});
  }
  return state;
}

inline Cluster any_cluster(const Wild& wild = {}) {
  using rc::gen::inRange;
  const auto count = *inRange(1U, 9U);
  const auto zones = wild.zones ? *inRange(1U, 4U) : 1U;
  Cluster cluster = cluster_of({}, *inRange<std::size_t>(1, 70));
  for (std::uint32_t id = 1; id <= count; ++id) cluster.nodes.push_back(any_node(id, zones, wild));
  switch (*inRange(0, 3)) {
    case 0:
      break;  // nothing is placed yet
    case 1:
      for (ShardState& shard : cluster.present) shard = any_shard(count);
      break;
    default: {  // what was placed for other nodes
      Cluster other = cluster;
      for (Node& n : other.nodes) n = any_node(n.id.value, zones, wild);
      settle(cluster, place(other));
    }
  }
  if (!wild.pins) return cluster;
  for (std::size_t shard = 0; shard < cluster.present.size(); ++shard)
    if (*inRange(0, 6) == 0)
      cluster.pins.push_back(
          {ShardId{static_cast<std::uint16_t>(shard)}, {*inRange(1U, count + 2)}});
  return cluster;
}

}  // namespace souk::cluster::test
