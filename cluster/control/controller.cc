#include "cluster/control/controller.h"

#include <algorithm>

#include "events/result.h"

namespace souk::cluster {

Cluster present_view(const ControlState& state, const HeardTable& heard, UnixMs now) {
  Cluster cluster = state.cluster();
  cluster.now = std::max(cluster.now, now);
  std::vector<Offset> end(cluster.present.size());
  // First the next offset of each, then how far that is from the furthest.
  for (const Node& node : cluster.nodes) {
    const Heartbeat* heartbeat = heard.newest(node.name);
    if (!heartbeat) continue;
    for (const Holding& holding : heartbeat->holdings) {
      if (holding.shard.value >= end.size()) break;
      if (holding.holds != Holds::copying)
        end[holding.shard.value] = std::max(end[holding.shard.value], holding.next);
      for (Replica& replica : cluster.present[holding.shard.value].replicas)
        if (replica.node == node.id) replica.lag = holding.next;
    }
  }
  for (std::size_t shard = 0; shard < end.size(); ++shard) {
    for (Replica& replica : cluster.present[shard].replicas) {
      replica.lag = replica.holds == Holds::standby && end[shard] > replica.lag
                        ? end[shard] - replica.lag
                        : 0;
    }
  }
  return cluster;
}

struct Controller::Decision {
  const ControlState& state;
  const Observed& seen;
  UnixMs now;
  std::vector<Entry> entries = {};
  /// By the place of the node: its newest heartbeat, of the incarnation that the log knows.
  std::vector<const Heartbeat*> heartbeats = {};

  void read_heartbeats() {
    for (const Node& node : state.cluster().nodes) {
      const Heartbeat* newest = seen.heard.newest(node.name);
      const bool counts = newest && alive(node.presence) &&
                          newest->incarnation == state.details(node.id)->incarnation;
      heartbeats.push_back(counts ? newest : nullptr);
    }
  }

  void say(EntryBody body, std::string who = {}) {
    entries.push_back({.at = now, .who = std::move(who), .body = std::move(body)});
  }
  const std::vector<ShardState>& present() const { return state.cluster().present; }
  bool lives(NodeId id) const {
    const Node* node = state.node(id);
    return node && alive(node->presence);
  }
  const Heartbeat* heartbeat(NodeId id) const {
    const Node* node = state.node(id);
    return node ? heartbeats[static_cast<std::size_t>(node - state.cluster().nodes.data())]
                : nullptr;
  }
  const Holding* holding(NodeId id, ShardId shard) const {
    const Heartbeat* newest = heartbeat(id);
    return newest ? find_holding(*newest, shard) : nullptr;
  }
};

std::vector<Entry> Controller::decide(const ControlState& state, const Observed& seen) {
  SOUK_ASSERT(seen.owners.size() == state.cluster().present.size());
  if (!seen.heard.judges(seen.steady)) return {};
  Decision d{state, seen, std::max(seen.now, state.cluster().now)};
  d.read_heartbeats();
  presence(d);
  ends(d);
  owners(d);
  replicas(d);
  if (d.entries.empty()) {
    compared_ = {state.version(), seen.heard.holdings_version()};
    placement(d);
  }
  if (d.entries.empty()) {
    moves(d);
    returns(d);
  }
  if (d.entries.size() > entries_per_record_max) d.entries.resize(entries_per_record_max);
  return std::move(d.entries);
}

/// Who joined, and who is silent. A heartbeat of another incarnation is the end of the one before.
void Controller::presence(Decision& d) const {
  NodeId last = d.state.last_node();
  std::size_t nodes = d.state.cluster().nodes.size();
  for (const auto& [name, row] : d.seen.heard.rows()) {
    if (d.state.id_of(name) != nobody || nodes >= nodes_max) continue;
    if (d.seen.heard.silence_ms(name, d.seen.steady) >= silent_after_ms) continue;
    ++last.value;
    ++nodes;
    d.say(NodeJoined{last, name, row.newest.zone, row.newest.weight});
  }
  for (const Node& node : d.state.cluster().nodes) {
    if (!alive(node.presence)) continue;
    const Heartbeat* newest = d.seen.heard.newest(node.name);
    const bool another = newest && newest->incarnation != d.state.details(node.id)->incarnation;
    if (another || d.seen.heard.silence_ms(node.name, d.seen.steady) >= silent_after_ms)
      d.say(NodeSilent{node.id});
  }
}

bool Controller::stalled(std::uint64_t number, std::uint64_t progress, SteadyMs now) {
  const auto [at, first] = progress_.emplace(number, Progress{progress, now});
  if (!first && at->second.value != progress) at->second = {progress, now};
  return now >= at->second.since.plus_ms(move_stalled_ms);
}

/// D3.
std::optional<MoveEnded> Controller::ended(const Decision& d, std::uint64_t number,
                                           const MoveUnderWay& under_way) {
  const Move& move = under_way.move;
  const ShardState& present = d.present()[move.shard.value];
  const MoveEnded failed{number, MoveOutcome::failed, 0};
  const MoveEnded done{number, MoveOutcome::done, 0};
  const NodeId who = move.kind == Move::Kind::drop ? move.from : move.to;
  const Holding* holding = d.holding(who, move.shard);
  const Replica* replica = find_replica(present, who);
  switch (move.kind) {
    case Move::Kind::promote:
    case Move::Kind::start:
    case Move::Kind::hand_over: {
      const LogOwner& owner = d.seen.owners[move.shard.value];
      if (move.from != present.owner || !d.lives(move.to)) return failed;
      if (owner.node == move.to && owner.epoch > d.state.owner_epoch(move.shard) &&
          owner.incarnation == d.state.details(move.to)->incarnation)
        return MoveEnded{number, MoveOutcome::done, owner.epoch};
      if (move.kind == Move::Kind::start) break;
      if (!replica || (move.kind == Move::Kind::hand_over && !d.lives(move.from))) return failed;
      break;
    }
    case Move::Kind::copy: {
      if (!replica || !d.lives(move.to)) return failed;
      if (replica->holds != Holds::copying) return done;
      const Holding* owner = d.holding(present.owner, move.shard);
      if (holding && holding->holds != Holds::copying &&
          (!owner || holding->next + warm_lag_max > owner->next))
        return done;
      break;
    }
    case Move::Kind::drop:
      if (!d.lives(move.from) || !replica || move.from == present.owner) return done;
      if (d.heartbeat(move.from) && !holding) return done;
      break;
  }
  // A standby follows its owner also where nobody hands anything over.
  const bool grows = holding && move.kind != Move::Kind::hand_over;
  const std::uint64_t progress =
      grows ? holding->next * 4 + static_cast<std::uint64_t>(holding->holds) + 1 : 0;
  if (stalled(number, progress, d.seen.steady)) return failed;
  return std::nullopt;
}

void Controller::ends(Decision& d) {
  std::erase_if(progress_, [&](const auto& p) { return !d.state.moves().contains(p.first); });
  for (const auto& [number, under_way] : d.state.moves())
    if (const auto end = ended(d, number, under_way)) d.say(*end);
}

void Controller::owners(Decision& d) const {
  for (std::size_t i = 0; i < d.present().size(); ++i) {
    const LogOwner& owner = d.seen.owners[i];
    if (owner.node == nobody || owner.node == d.present()[i].owner) continue;
    const ShardId shard{static_cast<std::uint16_t>(i)};
    if (owner.epoch <= d.state.owner_epoch(shard) || !d.state.node(owner.node)) continue;
    const MoveUnderWay* move = d.state.owner_move(shard);
    // That one is about to end so, once the node's incarnation is the one in the log.
    if (move && move->move.to == owner.node) continue;
    d.say(OwnerFound{shard, owner.node, owner.epoch});
  }
}

/// What the nodes report and the state does not say, or the other way round.
void Controller::replicas(Decision& d) const {
  if (compared_ == std::pair(d.state.version(), d.seen.heard.holdings_version())) return;
  const auto dropping = [&](ShardId shard, NodeId node) {
    return d.state.under_way({.kind = Move::Kind::drop, .shard = shard, .from = node, .to = {}});
  };
  for (std::size_t i = 0; i < d.present().size(); ++i) {
    const ShardId shard{static_cast<std::uint16_t>(i)};
    const ShardState& present = d.present()[i];
    for (const Replica& replica : present.replicas) {
      if (replica.holds != Holds::standby || !d.heartbeat(replica.node)) continue;
      const Holding* holding = d.holding(replica.node, shard);
      if (holding && holding->holds != Holds::copying) continue;
      if (!dropping(shard, replica.node)) d.say(ReplicaLost{shard, replica.node});
    }
    const Wanted& wanted = d.state.wanted()[i];
    for (const NodeId node : {wanted.owner, wanted.standby}) {
      if (node == nobody || node == present.owner || find_replica(present, node)) continue;
      const Holding* holding = d.holding(node, shard);
      if (holding && holding->holds == Holds::standby) d.say(ReplicaWarm{shard, node});
    }
  }
}

void Controller::placement(Decision& d) {
  const bool due = place_again_at_ && d.now >= *place_again_at_;
  if (placed_version_ == d.state.placement_version() && !due) return;
  ++placed_;
  const Cluster cluster = present_view(d.state, d.seen.heard, d.now);
  const Placement wanted = place(cluster, d.state.wanted());
  placed_version_ = d.state.placement_version();
  place_again_at_ = place_again_at(cluster);
  PlacementWanted changes;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (wanted[i] != d.state.wanted()[i])
      changes.changed.push_back({ShardId{static_cast<std::uint16_t>(i)}, wanted[i]});
  if (!changes.changed.empty()) d.say(std::move(changes));
}

void Controller::moves(Decision& d) {
  const bool due = plan_again_at_ && d.seen.steady >= *plan_again_at_;
  if (planned_version_ == d.state.version() && !due) return;
  ++planned_;
  std::map<NodeId, std::uint32_t> busy;
  const auto limited = [](const Move& move) {
    return move.kind == Move::Kind::copy || move.kind == Move::Kind::hand_over;
  };
  for (const auto& [number, under_way] : d.state.moves()) {
    if (!limited(under_way.move)) continue;
    ++busy[under_way.move.from];
    ++busy[under_way.move.to];
  }
  bool waits = false;
  std::uint64_t number = d.state.last_move();
  const Cluster cluster = present_view(d.state, d.seen.heard, d.now);
  for (const Move& move : plan(cluster, d.state.wanted())) {
    waits |= move.wave > 0;
    if (move.wave > 0 || d.state.under_way(move)) continue;
    const bool vital = move.kind == Move::Kind::promote || move.kind == Move::Kind::start;
    if (!vital && d.state.held(move.shard)) continue;
    if (changes_owner(move.kind) && d.state.owner_move(move.shard)) continue;
    // Cut short: what is left is found again as soon as these are folded.
    if (d.entries.size() == entries_per_record_max) break;
    if (limited(move)) {
      if (busy[move.from] >= moves_per_node_max || busy[move.to] >= moves_per_node_max) {
        waits = true;
        continue;
      }
      ++busy[move.from];
      ++busy[move.to];
    }
    const bool asked = move.reason == Reason::asked || move.reason == Reason::pin;
    d.say(MoveBegan{++number, move},
          asked ? std::string(d.state.asked_by(move.shard)) : std::string());
  }
  planned_version_ = d.state.version();
  plan_again_at_.reset();
  if (waits) plan_again_at_ = d.seen.steady.plus_ms(plan_again_ms);
}

/// Who was silent, and is heard.
void Controller::returns(Decision& d) const {
  for (const Node& node : d.state.cluster().nodes) {
    if (alive(node.presence)) continue;
    const Heartbeat* newest = d.seen.heard.newest(node.name);
    if (!newest || d.seen.heard.silence_ms(node.name, d.seen.steady) >= silent_after_ms) continue;
    d.say(NodeHeard{.node = node.id,
                    .incarnation = newest->incarnation,
                    .zone = newest->zone,
                    .weight = newest->weight,
                    .http = newest->http,
                    .peer = newest->peer,
                    .build = newest->build,
                    .protocol_min = newest->protocol_min,
                    .protocol_max = newest->protocol_max});
  }
}

}  // namespace souk::cluster
