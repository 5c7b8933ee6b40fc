#pragma once
/// Which entries may be appended: part of control_state.cc.
#include <optional>
#include <string>

#include "cluster/control/control_state.h"

namespace souk::cluster {

/// Visits the body of an entry; why it is refused, or nothing.
struct Checker {
  using No = std::optional<std::string>;
  const ControlState& state;

  No operator()(const NodeJoined& e) const;
  No operator()(const NodeHeard& e) const;
  No operator()(const NodeSilent& e) const;
  No operator()(const NodeWished& e) const { return known(e.node); }
  No operator()(const NodeWeighted& e) const;
  No operator()(const NodeZoned& e) const { return known(e.node); }
  No operator()(const NodeForgotten& e) const;
  No operator()(const ShardPinned& e) const { return placed(e.shard, e.node); }
  No operator()(const ShardUnpinned& e) const;
  No operator()(const ShardAsked& e) const;
  No operator()(const ShardsRebalanced&) const { return {}; }
  No operator()(const PlacementWanted& e) const;
  No operator()(const MoveBegan& e) const;
  No operator()(const MoveEnded& e) const;
  No operator()(const OwnerFound& e) const;
  No operator()(const ReplicaWarm& e) const;
  No operator()(const ReplicaLost& e) const;
  No operator()(const OperatorNote&) const { return {}; }

 private:
  No known(NodeId id) const;
  No there(ShardId shard) const;
  No placed(ShardId shard, NodeId node) const;
  bool pinned(ShardId shard) const;
};

}  // namespace souk::cluster
