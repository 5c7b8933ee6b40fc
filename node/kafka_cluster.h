#pragma once
/// A node's place in a cluster on Kafka: the ways to the topics of control and liveness, and what
/// stands on them.
#include <functional>
#include <memory>

#include "cluster/node/cluster_node.h"
#include "events/shared_log/kafka_broker.h"

namespace souk {

/// Lifecycle: open; ends after the engine that it is wired to.
class KafkaCluster {
 public:
  /// Waits for the brokers. Errors: as cluster::ClusterNode::open; mismatch: a topic is not there.
  static Result<std::unique_ptr<KafkaCluster>, Fault> open(
      const KafkaOptions& kafka, const cluster::ClusterNodeOptions& options,
      const std::function<bool()>& give_up);

  cluster::ClusterNode& node() { return *node_; }

 private:
  std::unique_ptr<KafkaBroker> control_;
  std::unique_ptr<KafkaBroker> liveness_;
  std::unique_ptr<cluster::ClusterNode> node_;
};

}  // namespace souk
