#include "cluster/control/control_check.h"

#include <fmt/format.h>

#include "cluster/rendezvous.h"

namespace souk::cluster {

using No = Checker::No;

No Checker::known(NodeId id) const {
  if (state.node(id)) return {};
  return fmt::format("there is no node {}", id.value);
}
No Checker::there(ShardId shard) const {
  if (shard.value < state.cluster_.present.size()) return {};
  return fmt::format("there is no shard {}", shard.value);
}
No Checker::placed(ShardId shard, NodeId node) const {
  if (auto no = there(shard)) return no;
  return known(node);
}
bool Checker::pinned(ShardId shard) const {
  const auto at = state.asked_.find(shard);
  return at != state.asked_.end() && at->second.why == Reason::pin;
}

No Checker::operator()(const NodeJoined& e) const {
  if (e.node <= state.last_node_) return fmt::format("the id {} was given before", e.node.value);
  if (e.name.empty()) return "a node has a name";
  if (state.by_name_.contains(e.name)) return fmt::format("{} has joined before", e.name);
  if (e.weight == 0 || e.weight > weight_max) return "the weight is out of range";
  if (state.cluster_.nodes.size() >= nodes_max)
    return fmt::format("a cluster has at most {} nodes", nodes_max);
  return {};
}
No Checker::operator()(const NodeHeard& e) const {
  if (auto no = known(e.node)) return no;
  if (e.weight == 0 || e.weight > weight_max) return "the weight is out of range";
  if (alive(state.node(e.node)->presence))
    return fmt::format("{} is alive already", state.name_of(e.node));
  return {};
}
No Checker::operator()(const NodeSilent& e) const {
  if (auto no = known(e.node)) return no;
  if (!alive(state.node(e.node)->presence))
    return fmt::format("{} is silent already", state.name_of(e.node));
  return {};
}
No Checker::operator()(const NodeWeighted& e) const {
  if (e.weight == 0 || e.weight > weight_max)
    return fmt::format("a weight is a number from 1 to {}", weight_max);
  return known(e.node);
}
No Checker::operator()(const NodeForgotten& e) const {
  if (auto no = known(e.node)) return no;
  if (alive(state.node(e.node)->presence))
    return fmt::format("{} is alive: stop it first", state.name_of(e.node));
  return {};
}
No Checker::operator()(const ShardUnpinned& e) const {
  if (auto no = there(e.shard)) return no;
  if (!pinned(e.shard)) return fmt::format("shard {} is not pinned", e.shard.value);
  return {};
}
No Checker::operator()(const ShardAsked& e) const {
  if (auto no = placed(e.shard, e.node)) return no;
  const Node& node = *state.node(e.node);
  if (!alive(node.presence)) return fmt::format("{} is silent", node.name);
  if (node.wish != Wish::serve)
    return fmt::format("{} is {}", node.name, node.wish == Wish::drained ? "drained" : "cordoned");
  if (pinned(e.shard))
    return fmt::format("shard {} is pinned to {}: unpin it first", e.shard.value,
                       state.name_of(state.asked_.at(e.shard).node));
  return {};
}
No Checker::operator()(const PlacementWanted& e) const {
  for (std::size_t i = 0; i < e.changed.size(); ++i) {
    const Seats& seats = e.changed[i];
    if (auto no = there(seats.shard)) return no;
    if (i > 0 && e.changed[i - 1].shard >= seats.shard) return "the seats are out of order";
    for (const NodeId id : {seats.wanted.owner, seats.wanted.standby}) {
      if (id == nobody) continue;
      if (auto no = known(id)) return no;
    }
  }
  return {};
}

No Checker::operator()(const MoveBegan& e) const {
  const Move& move = e.move;
  if (e.number <= state.last_move_) return fmt::format("move {} has begun before", e.number);
  if (auto no = there(move.shard)) return no;
  if (state.under_way(move)) return "it is under way";
  const ShardState& present = state.cluster_.present[move.shard.value];
  if (changes_owner(move.kind)) {
    if (state.owner_move(move.shard)) return "another move changes the owner";
    if (move.from != present.owner || move.to == present.owner) return "the owner is another";
  }
  if (move.kind != Move::Kind::drop) {
    if (auto no = known(move.to)) return no;
  }
  const Replica* to = find_replica(present, move.to);
  switch (move.kind) {
    case Move::Kind::promote:
    case Move::Kind::hand_over:
      if (!to || to->holds != Holds::standby) return "it is no standby";
      break;
    case Move::Kind::start:
      break;
    case Move::Kind::copy:
      if (to) return "it has a replica already";
      break;
    case Move::Kind::drop:
      if (move.from == present.owner) return "the owner drops nothing";
      if (!find_replica(present, move.from)) return "it has no replica";
      break;
  }
  return {};
}

No Checker::operator()(const MoveEnded& e) const {
  const auto at = state.moves_.find(e.number);
  if (at == state.moves_.end()) return fmt::format("move {} is not under way", e.number);
  const Move& move = at->second.move;
  const ShardState& present = state.cluster_.present[move.shard.value];
  const bool new_owner = e.outcome == MoveOutcome::done && changes_owner(move.kind);
  if (!new_owner && e.epoch != 0) return "it changes no owner";
  if (new_owner) {
    if (e.epoch <= state.epochs_[move.shard.value]) return "the epoch is not newer";
    if (move.from != present.owner) return "the owner is another";
    return known(move.to);
  }
  if (e.outcome == MoveOutcome::done && move.kind == Move::Kind::copy) {
    if (!find_replica(present, move.to)) return "there is no replica";
  }
  if (e.outcome == MoveOutcome::cancelled &&
      (move.kind == Move::Kind::promote || move.kind == Move::Kind::start))
    return "a shard without an owner does not wait";
  return {};
}
No Checker::operator()(const OwnerFound& e) const {
  if (auto no = placed(e.shard, e.node)) return no;
  if (state.cluster_.present[e.shard.value].owner == e.node) return "it is the owner already";
  if (e.epoch <= state.epochs_[e.shard.value]) return "the epoch is not newer";
  return {};
}
No Checker::operator()(const ReplicaWarm& e) const {
  if (auto no = placed(e.shard, e.node)) return no;
  const ShardState& present = state.cluster_.present[e.shard.value];
  const Replica* replica = find_replica(present, e.node);
  if (e.node == present.owner || (replica && replica->holds != Holds::copying))
    return "it is warm already";
  return {};
}
No Checker::operator()(const ReplicaLost& e) const {
  if (auto no = there(e.shard)) return no;
  const ShardState& present = state.cluster_.present[e.shard.value];
  if (e.node == present.owner || !find_replica(present, e.node)) return "it is no replica";
  return {};
}

}  // namespace souk::cluster
