#include "cluster/placement.h"

#include <map>

#include "cluster/seating.h"
#include "events/result.h"

namespace souk::cluster {
namespace {

class Placer {
 public:
  Placer(const Cluster& cluster, const Placement& before);

  Placement run() {
    if (places_.empty()) return Placement(shards_.size());
    keep_owners();
    place_owners();
    keep_standbys();
    place_standbys();
    return result();
  }

 private:
  void look_at_nodes();
  void choose_places();

  void keep_owners();
  void keep_owner(std::size_t shard);
  void place_owners();
  Index standby_with_room(std::size_t shard) const;
  Reason why_homeless(Index from) const;

  void keep_standbys();
  bool may_stand_by(std::size_t shard, Index node) const;
  void place_standbys();
  Reason why_without_standby(std::size_t shard) const;
  void share_standbys();

  bool zone_allows(Index owner, Index node) const {
    const bool others = zones_of_places_ > 1 || zone_[owner] != zone_[places_.front().node];
    return !others || zone_[owner] != zone_[node];
  }
  bool keeps(Index node) const {
    return is_place_[node] || (alive(node_[node]->presence) && node_[node]->wish != Wish::drained);
  }
  Index index_of(NodeId id) const;
  NodeId id_of(Index index) const { return index == no_node ? nobody : node_[index]->id; }
  Placement result() const;

  const Cluster& cluster_;
  const Placement& before_;
  std::vector<const Node*> node_;  // ascending by id
  std::vector<std::uint32_t> zone_;
  std::vector<Place> places_;
  std::vector<bool> is_place_;
  std::size_t zones_of_places_ = 0;
  bool balance_rests_ = false;
  std::vector<std::uint64_t> shards_;  // their seeds
  std::vector<Index> pin_;             // by shard
  std::vector<Reason> pin_why_;        // by shard
  Seating owners_, standbys_;
};

Placer::Placer(const Cluster& cluster, const Placement& before)
    : cluster_(cluster),
      before_(before),
      owners_(cluster.present.size(), cluster.nodes.size()),
      standbys_(cluster.present.size(), cluster.nodes.size()) {
  const std::size_t shards = cluster.present.size();
  SOUK_ASSERT(shards <= shards_max && cluster.nodes.size() <= nodes_max);
  SOUK_ASSERT(before.empty() || before.size() == shards);
  for (std::size_t i = 0; i < shards; ++i)
    shards_.push_back(shard_seed(static_cast<std::uint32_t>(i)));
  look_at_nodes();
  choose_places();
  pin_.assign(shards, no_node);
  pin_why_.assign(shards, Reason::pin);
  for (const Pin& pin : cluster.pins) {
    SOUK_ASSERT(pin.shard.value < shards);
    pin_[pin.shard.value] = index_of(pin.node);
    pin_why_[pin.shard.value] = pin.why;
  }
}

void Placer::look_at_nodes() {
  for (const Node& node : cluster_.nodes) node_.push_back(&node);
  std::sort(node_.begin(), node_.end(), [](const Node* a, const Node* b) { return a->id < b->id; });
  std::map<std::string_view, std::uint32_t> zones;
  for (std::size_t i = 0; i < node_.size(); ++i) {
    SOUK_ASSERT(node_[i]->id != nobody && (i == 0 || node_[i - 1]->id != node_[i]->id));
    balance_rests_ |= back_soon(node_[i]->presence, cluster_.now);
    zone_.push_back(
        zones.emplace(node_[i]->zone, static_cast<std::uint32_t>(zones.size())).first->second);
  }
}

/// W7.
void Placer::choose_places() {
  using Test = bool (*)(const Node&, UnixMs);
  static constexpr Test tests[] = {
      [](const Node& n, UnixMs now) { return n.wish == Wish::serve && settled(n.presence, now); },
      [](const Node& n, UnixMs) { return n.wish == Wish::serve && alive(n.presence); },
      [](const Node& n, UnixMs) { return n.wish == Wish::cordoned && alive(n.presence); },
      [](const Node& n, UnixMs) { return alive(n.presence); },
  };
  is_place_.assign(node_.size(), false);
  for (const Test test : tests) {
    for (Index i = 0; i < node_.size(); ++i) {
      const Node& node = *node_[i];
      if (!test(node, cluster_.now)) continue;
      is_place_[i] = true;
      places_.push_back({i, node.weight, node_seed(node.id.value), inverse_of_weight(node.weight)});
    }
    if (!places_.empty()) break;
  }
  std::vector<std::uint32_t> zones;
  for (const Place& place : places_) zones.push_back(zone_[place.node]);
  std::sort(zones.begin(), zones.end());
  zones_of_places_ =
      static_cast<std::size_t>(std::unique(zones.begin(), zones.end()) - zones.begin());
}

Index Placer::index_of(NodeId id) const {
  const auto at = std::lower_bound(node_.begin(), node_.end(), id,
                                   [](const Node* node, NodeId i) { return node->id < i; });
  return at != node_.end() && (*at)->id == id ? static_cast<Index>(at - node_.begin()) : no_node;
}

void Placer::keep_owners() {
  for (std::size_t shard = 0; shard < shards_.size(); ++shard) keep_owner(shard);
  owners_.had = owners_.load;
}

void Placer::keep_owner(std::size_t shard) {
  const Index present = index_of(cluster_.present[shard].owner);
  const Wanted before = before_.empty() ? Wanted{} : before_[shard];
  const auto keep = [&](Index node, Reason reason) {
    owners_.seat(shard, node, reason);
    owners_.bound[shard] = !is_place_[node] || node == pin_[shard];
  };
  if (const Index pin = pin_[shard]; pin != no_node && keeps(pin)) {  // W6
    if (is_place_[pin] || pin == present || settled(node_[pin]->presence, cluster_.now))
      return keep(pin, pin_why_[shard]);
  }
  const Index wanted = index_of(before.owner);
  if (wanted != no_node && keeps(wanted) && (is_place_[wanted] || wanted == present))
    return keep(wanted, before.owner_why);
  if (present != no_node && keeps(present)) keep(present, Reason::stayed);
}

/// Of who does not keep the shard.
Reason Placer::why_homeless(Index from) const {
  if (from == no_node || !alive(node_[from]->presence)) return Reason::node_gone;
  return node_[from]->wish == Wish::drained ? Reason::drain : Reason::balance;
}

void Placer::place_owners() {
  std::vector<Claimant> claimants(places_.size());
  std::vector<std::uint32_t> pinned(node_.size());
  std::uint64_t seats = shards_.size();
  for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
    const Index at = owners_.at[shard];
    if (at == no_node || !owners_.bound[shard]) continue;
    if (is_place_[at])
      ++pinned[at];
    else
      --seats;
  }
  for (std::size_t i = 0; i < places_.size(); ++i)
    claimants[i] = {places_[i].weight, pinned[places_[i].node]};
  const auto shares = shares_of(seats, claimants);
  for (std::size_t i = 0; i < places_.size(); ++i) owners_.share[places_[i].node] = shares[i];

  Usher usher(
      owners_, places_, shards_, [](std::size_t, Index) { return true; },
      [this](std::size_t shard, Index node) {
        const Replica* replica = find_replica(cluster_.present[shard], id_of(node));
        return replica && replica->holds == Holds::standby;
      });
  for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
    if (owners_.at[shard] != no_node) continue;
    const NodeId present = cluster_.present[shard].owner;
    Index to = standby_with_room(shard);
    if (to == no_node) to = usher.choose(shard, decltype(usher)::Full::take);
    owners_.seat(shard, to,
                 present == nobody ? Reason::first_placed : why_homeless(index_of(present)));
  }
  if (!balance_rests_) usher.balance();
}

/// Who has the data already, the warmest first.
Index Placer::standby_with_room(std::size_t shard) const {
  Index best = no_node;
  std::uint64_t best_lag = 0;
  for (const Replica& replica : cluster_.present[shard].replicas) {
    if (replica.holds != Holds::standby) continue;
    const Index node = index_of(replica.node);
    if (node == no_node || !is_place_[node]) continue;
    if (!balance_rests_ && !owners_.has_room(node)) continue;
    if (best != no_node && replica.lag >= best_lag) continue;
    best = node;
    best_lag = replica.lag;
  }
  return best;
}

bool Placer::may_stand_by(std::size_t shard, Index node) const {
  if (node == no_node || node == owners_.at[shard]) return false;
  const Node& who = *node_[node];
  if (!is_place_[node] && (who.wish == Wish::drained || !expected(who.presence, cluster_.now)))
    return false;
  return zone_allows(owners_.at[shard], node);
}

void Placer::keep_standbys() {
  const auto rank = [&](const Replica& replica, Index node) {
    if (!alive(node_[node]->presence)) return 3;
    return replica.holds == Holds::standby ? 0 : replica.holds == Holds::owner ? 1 : 2;
  };
  for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
    const ShardState& present = cluster_.present[shard];
    const auto keep = [&](Index node, Reason reason) {
      standbys_.seat(shard, node, reason);
      standbys_.bound[shard] = !is_place_[node];
    };
    if (!before_.empty()) {
      const Index wanted = index_of(before_[shard].standby);
      if (may_stand_by(shard, wanted) &&
          (is_place_[wanted] || find_replica(present, before_[shard].standby))) {
        keep(wanted, before_[shard].standby_why);
        continue;
      }
    }
    Index best = no_node;
    int best_rank = 0;
    for (const Replica& replica : present.replicas) {
      const Index node = index_of(replica.node);
      if (!may_stand_by(shard, node)) continue;
      if (best != no_node && rank(replica, node) >= best_rank) continue;
      best = node;
      best_rank = rank(replica, node);
    }
    if (best != no_node)
      keep(best, present.replicas.empty() || present.owner != id_of(best) ? Reason::stayed
                                                                          : owners_.why[shard]);
  }
  standbys_.had = standbys_.load;
}

/// A zone with more than half of the weight cannot have its share: what stands by for others must
/// be elsewhere than they are. Without zones a node is its own. What it cannot have, others take.
void Placer::share_standbys() {
  const bool zones = zones_of_places_ > 1;
  const auto group = [&](Index node) { return zones ? zone_[node] : node; };
  std::uint64_t seats = 0;
  std::vector<std::uint64_t> owned(node_.size()), weights(node_.size());
  for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
    if (standbys_.at[shard] != no_node && standbys_.bound[shard]) continue;
    ++seats;
    ++owned[group(owners_.at[shard])];
  }
  std::uint64_t weight = 0;
  for (const Place& place : places_) {
    weights[group(place.node)] += place.weight;
    weight += place.weight;
  }
  Index heavy = no_node;
  for (const Place& place : places_) {
    const Index g = group(place.node);
    if (weights[g] * seats > weight * (seats - owned[g])) heavy = g;
  }
  for (const bool in_heavy : {false, true}) {
    std::vector<Claimant> claimants;
    for (const Place& place : places_)
      if ((group(place.node) == heavy) == in_heavy) claimants.push_back({place.weight, 0});
    const std::uint64_t part = heavy == no_node ? seats
                               : in_heavy       ? seats - owned[heavy]
                                                : owned[heavy];
    const auto shares = shares_of(part, claimants);
    std::size_t next = 0;
    for (const Place& place : places_)
      if ((group(place.node) == heavy) == in_heavy) standbys_.share[place.node] = shares[next++];
  }
}

void Placer::place_standbys() {
  share_standbys();
  Usher usher(
      standbys_, places_, shards_,
      [this](std::size_t shard, Index node) {
        return node != owners_.at[shard] && zone_allows(owners_.at[shard], node);
      },
      [this](std::size_t shard, Index node) {
        return find_replica(cluster_.present[shard], id_of(node)) != nullptr;
      });
  for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
    if (standbys_.at[shard] != no_node) continue;
    const Index to = usher.choose(shard, decltype(usher)::Full::take);
    if (to == no_node) continue;
    standbys_.seat(shard, to, why_without_standby(shard));
  }
  if (!balance_rests_) usher.balance();
}

/// Of a shard none of whose replicas may stand by.
Reason Placer::why_without_standby(std::size_t shard) const {
  const ShardState& present = cluster_.present[shard];
  Reason reason = Reason::first_placed;
  for (const Replica& replica : present.replicas) {
    const Index node = index_of(replica.node);
    if (node != no_node && node == owners_.at[shard]) {
      if (present.owner != replica.node) return owners_.why[shard];  // it was the standby
      continue;
    }
    if (node == no_node || !expected(node_[node]->presence, cluster_.now))
      reason = Reason::node_gone;
    else
      reason = node_[node]->wish == Wish::drained ? Reason::drain : Reason::zone;
  }
  return reason;
}

Placement Placer::result() const {
  Placement placement(shards_.size());
  for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
    placement[shard] = {id_of(owners_.at[shard]), id_of(standbys_.at[shard]), owners_.why[shard],
                        standbys_.at[shard] == no_node ? Reason::stayed : standbys_.why[shard]};
  }
  return placement;
}

}  // namespace

Placement place(const Cluster& cluster, const Placement& before) {
  return Placer(cluster, before).run();
}

std::optional<UnixMs> place_again_at(const Cluster& cluster) {
  std::optional<UnixMs> next;
  const auto at = [&](UnixMs time) {
    if (time > cluster.now && (!next || time < *next)) next = time;
  };
  for (const Node& node : cluster.nodes) {
    at(node.presence.since.plus_ms(alive(node.presence) ? settling_ms(node.presence, cluster.now)
                                                        : standby_grace_ms));
  }
  return next;
}

const Node* find_node(const Cluster& cluster, NodeId id) {
  for (const Node& node : cluster.nodes)
    if (node.id == id) return &node;
  return nullptr;
}

const Replica* find_replica(const ShardState& shard, NodeId id) {
  for (const Replica& replica : shard.replicas)
    if (replica.node == id) return &replica;
  return nullptr;
}

}  // namespace souk::cluster
