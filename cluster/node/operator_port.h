#pragma once
/// What the edge sees of the cluster, and how it hands on what operators want.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cluster/control/command.h"
#include "cluster/control/control_state.h"
#include "cluster/control/heartbeat.h"
#include "cluster/links/links.h"

namespace souk::cluster {

/// A picture of the cluster, as this node sees it.
struct ClusterView {
  ControlState state;
  Cluster cluster;               // with what the heartbeats tell
  std::vector<LogOwner> owners;  // by shard, as the logs say
  HeardTable heard;
  std::string name;        // the cluster's
  std::string self;        // this node's
  std::string controller;  // a node's name; empty: nobody is heard to be it
  bool controls = false;
  bool judges = false;  // it hears itself: what it says of others counts
  std::vector<LinkCounters> links;
  /// The longest of the newest hand-overs, from its beginning to its end in the control log, which
  /// is more than a customer waits. 0: none was seen yet.
  std::int64_t hand_over_ms = 0;
};

/// Lifecycle: outlives who asks. Thread: any.
class OperatorPort {
 public:
  virtual ~OperatorPort() = default;
  /// At most a quarter of a second old.
  virtual std::shared_ptr<const ClusterView> view() const = 0;
  /// What an operator wants, at whatever node: the controller does it. `done` hears of it when the
  /// control log has it, or why not; at the latest after command_wait_ms, on a thread of the
  /// cluster's, and must not block.
  virtual void command(OperatorCommand command, CommandDone done) = 0;
};

}  // namespace souk::cluster
