#include "cluster/plan.h"

#include <algorithm>
#include <unordered_map>

#include "events/result.h"

namespace souk::cluster {
namespace {

/// Which waves of a node are full.
class Slots {
 public:
  /// The first wave from `wave` on in which both have a place; takes it.
  std::uint32_t take(NodeId a, NodeId b, std::uint32_t wave) {
    Node& one = nodes_[a.value];
    Node& other = nodes_[b.value];
    wave = std::max({wave, one.free, other.free});
    while (one.full(wave) || other.full(wave)) ++wave;
    one.take(wave);
    other.take(wave);
    return wave;
  }
  /// What is under way already.
  void occupy(NodeId node) { nodes_[node.value].take(0); }

 private:
  struct Node {
    std::vector<std::uint32_t> used;  // by wave
    std::uint32_t free = 0;           // the first that is not full
    bool full(std::uint32_t wave) const {
      return wave < used.size() && used[wave] >= moves_per_node_max;
    }
    void take(std::uint32_t wave) {
      if (used.size() <= wave) used.resize(wave + 1);
      ++used[wave];
      while (full(free)) ++free;
    }
  };
  std::unordered_map<std::uint32_t, Node> nodes_;  // looked up only: its order is nobody's
};

class Planner {
 public:
  Planner(const Cluster& cluster, const Placement& wanted) : cluster_(cluster), wanted_(wanted) {
    SOUK_ASSERT(wanted.size() == cluster.present.size());
    for (const Node& node : cluster.nodes) nodes_.emplace(node.id.value, &node);
  }

  std::vector<Move> run() {
    for (const ShardState& shard : cluster_.present) {
      for (const Replica& replica : shard.replicas) {
        if (replica.holds != Holds::copying || !lives(replica.node)) continue;
        slots_.occupy(replica.node);
        if (lives(shard.owner)) slots_.occupy(shard.owner);
      }
    }
    std::vector<std::pair<Reason, std::size_t>> order;
    for (std::size_t shard = 0; shard < wanted_.size(); ++shard) {
      if (!done(shard)) order.emplace_back(urgent(shard), shard);
    }
    std::sort(order.begin(), order.end());
    for (const auto& [reason, shard] : order) plan_shard(shard);
    std::stable_sort(moves_.begin(), moves_.end(), [](const Move& a, const Move& b) {
      return std::pair(a.wave, a.kind) < std::pair(b.wave, b.kind);
    });
    return std::move(moves_);
  }

 private:
  /// The reason that has the shard go first: they are declared in this order.
  Reason urgent(std::size_t shard) const {
    const Wanted& wanted = wanted_[shard];
    const ShardState& state = cluster_.present[shard];
    Reason reason = Reason::balance;
    if (state.owner != wanted.owner) reason = std::min(reason, wanted.owner_why);
    if (!find_replica(state, wanted.standby)) reason = std::min(reason, wanted.standby_why);
    return reason;
  }
  bool lives(NodeId id) const {
    const auto at = nodes_.find(id.value);
    return at != nodes_.end() && alive(at->second->presence);
  }
  static bool warm(const Replica& replica) {
    return replica.holds == Holds::owner ||
           (replica.holds == Holds::standby && replica.lag < warm_lag_max);
  }
  bool done(std::size_t shard) const;
  void plan_shard(std::size_t shard);
  NodeId owner_now(const ShardState& state, const Wanted& wanted, ShardId id);
  Reason why_dropped(NodeId node, const Wanted& wanted) const;
  const Replica* heir(const ShardState& state, NodeId wanted) const;

  const Cluster& cluster_;
  const Placement& wanted_;
  std::unordered_map<std::uint32_t, const Node*> nodes_;  // looked up only
  Slots slots_;
  std::vector<Move> moves_;
};

bool Planner::done(std::size_t shard) const {
  const ShardState& state = cluster_.present[shard];
  const Wanted& wanted = wanted_[shard];
  return wanted.owner == nobody ||
         (state.owner == wanted.owner &&
          state.replicas.size() == (wanted.standby == nobody ? 1 : 2) &&
          (wanted.standby == nobody || find_replica(state, wanted.standby)));
}

/// L2: the standby that owns next.
const Replica* Planner::heir(const ShardState& state, NodeId wanted) const {
  const Replica* best = nullptr;
  const auto rank = [&](const Replica& replica) {
    return std::pair(warm(replica) && replica.node == wanted ? 0 : 1, replica.lag);
  };
  for (const Replica& replica : state.replicas) {
    if (replica.holds == Holds::copying || !lives(replica.node)) continue;
    if (!best || rank(replica) < rank(*best)) best = &replica;
  }
  return best;
}

NodeId Planner::owner_now(const ShardState& state, const Wanted& wanted, ShardId id) {
  if (lives(state.owner)) return state.owner;
  const Replica* next = heir(state, wanted.owner);
  const NodeId to = next ? next->node : wanted.owner;
  const Reason reason = state.owner == nobody ? Reason::first_placed : Reason::node_gone;
  moves_.push_back(
      {next ? Move::Kind::promote : Move::Kind::start, id, state.owner, to, reason, 0});
  return to;
}

Reason Planner::why_dropped(NodeId node, const Wanted& wanted) const {
  if (!lives(node)) return Reason::node_gone;
  if (nodes_.at(node.value)->wish == Wish::drained) return Reason::drain;
  return wanted.owner_why > Reason::first_placed ? wanted.owner_why : wanted.standby_why;
}

void Planner::plan_shard(std::size_t shard) {
  const ShardState& state = cluster_.present[shard];
  const Wanted& wanted = wanted_[shard];
  const ShardId id{static_cast<std::uint16_t>(shard)};
  const NodeId owner = owner_now(state, wanted, id);
  std::uint32_t ready = lives(state.owner) ? 0 : 1;  // the wave in which `owner` owns
  const std::uint32_t owns = ready;
  bool waits_for_ever = false;  // as far as this plan can see: for a node that is away

  const auto prepare = [&](NodeId node, Reason why) {
    if (node == nobody || node == owner) return;
    const Replica* replica = find_replica(state, node);
    if (!lives(node)) {
      waits_for_ever = true;
    } else if (!replica) {
      const std::uint32_t wave = slots_.take(owner, node, owns);
      moves_.push_back({Move::Kind::copy, id, owner, node, why, wave});
      ready = std::max(ready, wave + 1);
    } else if (!warm(*replica)) {
      ready = std::max(ready, 1U);
    }
  };
  prepare(wanted.owner, wanted.owner_why);
  prepare(wanted.standby, wanted.standby_why);
  if (owner != wanted.owner) {
    if (!lives(wanted.owner)) return;
    const std::uint32_t wave = slots_.take(owner, wanted.owner, ready);
    moves_.push_back({Move::Kind::hand_over, id, owner, wanted.owner, wanted.owner_why, wave});
    ready = wave + 1;
  }
  const auto drop = [&](NodeId node) {
    if (node == wanted.owner || node == wanted.standby) return;
    const Replica* replica = find_replica(state, node);
    const bool copying = replica && replica->holds == Holds::copying;
    const bool useless = !lives(node) || (copying && owns == 0);
    if (waits_for_ever && !useless) return;
    moves_.push_back({Move::Kind::drop, id, node, nobody, why_dropped(node, wanted),
                      useless && owns == 0 ? 0 : ready});
  };
  for (const Replica& replica : state.replicas) drop(replica.node);
  if (!find_replica(state, owner)) drop(owner);
}

}  // namespace

std::vector<Move> plan(const Cluster& cluster, const Placement& wanted) {
  return Planner(cluster, wanted).run();
}

ShardState after(ShardState shard, const Move& move) {
  const auto set = [&](NodeId node, Holds holds) {
    const auto at = std::lower_bound(shard.replicas.begin(), shard.replicas.end(), node,
                                     [](const Replica& r, NodeId id) { return r.node < id; });
    if (at != shard.replicas.end() && at->node == node)
      *at = {node, holds, 0};
    else
      shard.replicas.insert(at, {node, holds, 0});
  };
  switch (move.kind) {
    case Move::Kind::promote:
    case Move::Kind::start:
    case Move::Kind::hand_over:
      if (find_replica(shard, shard.owner)) set(shard.owner, Holds::standby);
      set(move.to, Holds::owner);
      shard.owner = move.to;
      break;
    case Move::Kind::copy:
      set(move.to, Holds::copying);
      break;
    case Move::Kind::drop:
      std::erase_if(shard.replicas, [&](const Replica& r) { return r.node == move.from; });
      break;
  }
  return shard;
}

}  // namespace souk::cluster
