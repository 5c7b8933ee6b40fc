#include "cluster/control/control_state.h"

#include <algorithm>

#include "cluster/control/control_check.h"
#include "events/result.h"

namespace souk::cluster {
namespace {

void erase_replica(ShardState& shard, NodeId node) {
  std::erase_if(shard.replicas, [&](const Replica& r) { return r.node == node; });
}
/// REQUIRES: the node is not the owner.
void set_standby(ShardState& shard, NodeId node) {
  erase_replica(shard, node);
  const auto at = std::ranges::lower_bound(shard.replicas, node, {}, &Replica::node);
  shard.replicas.insert(at, {node, Holds::standby, 0});
}

}  // namespace

/// Visits the body of an entry that `check` admits.
struct Folder {
  ControlState& state;
  const Entry& entry;

  UnixMs now() const { return state.cluster_.now; }
  Node& node(NodeId id) { return *state.find(id); }

  void operator()(const NodeJoined& e) {
    state.last_node_ = e.node;
    state.by_name_.emplace(e.name, e.node);
    state.names_.emplace(e.node, e.name);
    NodeDetails details;
    details.configured_zone = e.zone;
    details.configured_weight = e.weight;
    state.details_.emplace(e.node, std::move(details));
    state.cluster_.nodes.push_back(
        {.id = e.node,
         .name = e.name,
         .zone = e.zone,
         .weight = e.weight,
         .wish = Wish::serve,
         .presence = {.heard = Heard::silent, .since = now(), .departures = {}}});
  }
  void operator()(const NodeHeard& e) {
    Node& of = node(e.node);
    NodeDetails& details = state.details_.at(e.node);
    if (e.zone != details.configured_zone) of.zone = e.zone;
    if (e.weight != details.configured_weight) of.weight = e.weight;
    of.presence = after(std::move(of.presence), Heard::alive, now());
    details = {.incarnation = e.incarnation,
               .configured_zone = e.zone,
               .configured_weight = e.weight,
               .http = e.http,
               .peer = e.peer,
               .build = e.build,
               .protocol_min = e.protocol_min,
               .protocol_max = e.protocol_max};
  }
  void operator()(const NodeSilent& e) {
    Node& of = node(e.node);
    of.presence = after(std::move(of.presence), Heard::silent, now());
    state.forget_asked_of(e.node);
  }
  void operator()(const NodeWished& e) {
    node(e.node).wish = e.wish;
    if (e.wish != Wish::drained) return;
    state.forget_asked_of(e.node);
    std::erase_if(state.held_, [&](ShardId shard) {
      return state.present(shard).owner == e.node || find_replica(state.present(shard), e.node);
    });
  }
  void operator()(const NodeWeighted& e) { node(e.node).weight = e.weight; }
  void operator()(const NodeZoned& e) { node(e.node).zone = e.zone; }
  void operator()(const NodeForgotten& e) {
    std::erase_if(state.asked_, [&](const auto& asked) { return asked.second.node == e.node; });
    state.by_name_.erase(node(e.node).name);
    state.details_.erase(e.node);
    std::erase_if(state.cluster_.nodes, [&](const Node& n) { return n.id == e.node; });
    for (ShardState& shard : state.cluster_.present) erase_replica(shard, e.node);
  }
  void operator()(const ShardPinned& e) { ask(e.shard, e.node, Reason::pin); }
  void operator()(const ShardAsked& e) { ask(e.shard, e.node, Reason::asked); }
  void ask(ShardId shard, NodeId to, Reason why) {
    state.asked_[shard] = {to, entry.who, why};
    state.held_.erase(shard);
  }
  void operator()(const ShardUnpinned& e) {
    state.asked_.erase(e.shard);
    state.held_.erase(e.shard);
  }
  void operator()(const ShardsRebalanced&) {
    std::erase_if(state.asked_, [](const auto& a) { return a.second.why == Reason::asked; });
    state.held_.clear();
  }
  void operator()(const PlacementWanted& e) {
    for (const Seats& seats : e.changed) state.wanted_[seats.shard.value] = seats.wanted;
  }
  void operator()(const MoveBegan& e) {
    state.last_move_ = e.number;
    state.moves_.emplace(e.number, MoveUnderWay{e.move, entry.who, now()});
    state.moves_of_[e.move.shard].push_back(e.number);
    if (e.move.kind == Move::Kind::copy)
      state.present(e.move.shard) = after(std::move(state.present(e.move.shard)), e.move);
  }
  void operator()(const MoveEnded& e) {
    const auto at = state.moves_.find(e.number);
    const Move move = at->second.move;
    state.moves_.erase(at);
    const auto of = state.moves_of_.find(move.shard);
    std::erase(of->second, e.number);
    if (of->second.empty()) state.moves_of_.erase(of);
    state.end(move, e.outcome, e.epoch);
  }
  void operator()(const OwnerFound& e) {
    state.set_owner({.kind = Move::Kind::hand_over,
                     .shard = e.shard,
                     .from = state.present(e.shard).owner,
                     .to = e.node,
                     .reason = Reason::stayed,
                     .wave = 0},
                    e.epoch);
  }
  void operator()(const ReplicaWarm& e) { set_standby(state.present(e.shard), e.node); }
  void operator()(const ReplicaLost& e) { erase_replica(state.present(e.shard), e.node); }
  void operator()(const OperatorNote&) {}
};

ControlState::ControlState(std::size_t shards) : wanted_(shards), epochs_(shards) {
  SOUK_ASSERT(shards <= shards_max);
  cluster_.present.resize(shards);
}

std::optional<std::string> ControlState::check(const Entry& entry) const {
  return std::visit(Checker{*this}, entry.body);
}

bool ControlState::fold(const Entry& entry) {
  if (check(entry)) return false;
  cluster_.now = std::max(cluster_.now, entry.at);
  keep(entry);
  std::visit(Folder{*this, entry}, entry.body);
  const bool moves = std::holds_alternative<MoveBegan>(entry.body) ||
                     std::holds_alternative<MoveEnded>(entry.body);
  const bool places = !moves && !std::holds_alternative<PlacementWanted>(entry.body) &&
                      !std::holds_alternative<OperatorNote>(entry.body);
  if (places) renew_pins();
  // A pin may wait for its node to own the shard.
  if (places || (moves && !cluster_.pins.empty())) ++placement_version_;
  if (!std::holds_alternative<OperatorNote>(entry.body)) ++version_;
  return true;
}

void ControlState::end(const Move& move, MoveOutcome outcome, std::uint64_t epoch) {
  ShardState& shard = present(move.shard);
  const Replica* to = find_replica(shard, move.to);
  const bool copying = to && to->holds == Holds::copying;
  if (outcome != MoveOutcome::done) {
    if (move.kind == Move::Kind::copy && copying) erase_replica(shard, move.to);
    if (outcome == MoveOutcome::cancelled) {
      const auto asked = asked_.find(move.shard);
      if (asked != asked_.end() && asked->second.why == Reason::asked) asked_.erase(asked);
      held_.insert(move.shard);
      renew_pins();
    }
    return;
  }
  if (changes_owner(move.kind)) return set_owner(move, epoch);
  if (move.kind == Move::Kind::copy && copying)
    set_standby(shard, move.to);
  else if (move.kind == Move::Kind::drop && move.from != shard.owner)
    erase_replica(shard, move.from);
}

void ControlState::set_owner(const Move& move, std::uint64_t epoch) {
  epochs_[move.shard.value] = epoch;
  present(move.shard) = after(std::move(present(move.shard)), move);
  // What was cancelled was a move from the owner that is not it any more.
  held_.erase(move.shard);
}

void ControlState::renew_pins() {
  cluster_.pins.clear();
  for (const auto& [shard, asked] : asked_) cluster_.pins.push_back({shard, asked.node, asked.why});
}

void ControlState::forget_asked_of(NodeId node) {
  std::erase_if(asked_, [&](const auto& asked) {
    return asked.second.node == node && asked.second.why == Reason::asked;
  });
}

NodeId ControlState::id_of(std::string_view name) const {
  const auto at = by_name_.find(name);
  return at == by_name_.end() ? nobody : at->second;
}
const Node* ControlState::node(NodeId id) const {
  const auto at = std::ranges::lower_bound(cluster_.nodes, id, {}, &Node::id);
  return at != cluster_.nodes.end() && at->id == id ? &*at : nullptr;
}
Node* ControlState::find(NodeId id) { return const_cast<Node*>(node(id)); }
const NodeDetails* ControlState::details(NodeId id) const {
  const auto at = details_.find(id);
  return at == details_.end() ? nullptr : &at->second;
}

const MoveUnderWay* ControlState::owner_move(ShardId shard) const {
  const auto of = moves_of_.find(shard);
  if (of == moves_of_.end()) return nullptr;
  for (const std::uint64_t number : of->second) {
    const MoveUnderWay& move = moves_.at(number);
    if (changes_owner(move.move.kind)) return &move;
  }
  return nullptr;
}

bool ControlState::under_way(const Move& move) const {
  const auto of = moves_of_.find(move.shard);
  if (of == moves_of_.end()) return false;
  return std::ranges::any_of(of->second, [&](std::uint64_t number) {
    const Move& other = moves_.at(number).move;
    // From whom is copied may change on the way.
    return other.kind == move.kind && other.to == move.to &&
           (move.kind != Move::Kind::drop || other.from == move.from);
  });
}

NodeId ControlState::appointed(ShardId shard) const {
  const MoveUnderWay* move = owner_move(shard);
  if (move && move->move.kind != Move::Kind::hand_over) return move->move.to;
  return cluster_.present[shard.value].owner;
}

bool ControlState::shall_claim(ShardId shard, NodeId node, std::uint64_t incarnation,
                               const LogOwner& owner) const {
  if (node == nobody || appointed(shard) != node) return false;
  if (owner.node == node && owner.incarnation == incarnation) return false;
  const MoveUnderWay* move = owner_move(shard);
  return !move || move->move.kind != Move::Kind::hand_over || owner.node != move->move.to;
}

std::string_view ControlState::asked_by(ShardId shard) const {
  const auto at = asked_.find(shard);
  return at == asked_.end() ? std::string_view() : std::string_view(at->second.who);
}

void ControlState::keep(const Entry& entry) {
  Kept kept{.entry = {.at = cluster_.now, .who = entry.who, .body = OperatorNote{}},
            .seats = 0,
            .move = {}};
  if (const auto* placement = std::get_if<PlacementWanted>(&entry.body)) {
    kept.entry.body = PlacementWanted{};
    kept.seats = placement->changed.size();
  } else {
    kept.entry.body = entry.body;
  }
  if (const auto* ended = std::get_if<MoveEnded>(&entry.body))
    kept.move = moves_.at(ended->number).move;
  history_.push_back(std::move(kept));
  if (history_.size() > history_max) history_.pop_front();
}

}  // namespace souk::cluster
