#pragma once
/// A node's place in a cluster on Kafka: the ways to the topics of control and liveness, and what
/// stands on them.
#include <functional>
#include <memory>

#include "actors/adapters/sodium_vault.h"
#include "cluster/keys/replicated_vault.h"
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

  ~KafkaCluster();
  cluster::ClusterNode& node() { return *node_; }
  /// The keys of persons are on every node from here on. `vault`: outlives it.
  /// Errors: as cluster::ReplicatedVault::open. REQUIRES: once, before the node runs.
  Status share_keys(SodiumVault& vault);
  /// REQUIRES: share_keys().
  cluster::ReplicatedVault& vault() { return *vault_; }
  /// The node is heard of no more, and who waits for copies of keys hears so.
  void stop();

 private:
  class Keys;
  std::unique_ptr<KafkaBroker> control_;
  std::unique_ptr<KafkaBroker> liveness_;
  std::unique_ptr<cluster::ClusterNode> node_;
  std::unique_ptr<Keys> keys_;
  std::unique_ptr<cluster::ReplicatedVault> vault_;
};

}  // namespace souk
