#include "node/kafka_cluster.h"

#include <fmt/format.h>

#include "events/shared_log/kafka_topics.h"

namespace souk {
namespace {

/// The topics are there. REQUIRES: the brokers answered before.
Status look_at_topics(const KafkaOptions& kafka) {
  auto topics = KafkaTopics::open(kafka);
  if (!topics.ok()) return topics.error();
  for (const auto& name : {kafka.control_topic(), kafka.liveness_topic()}) {
    const auto facts = (*topics)->look(name);
    if (!facts.ok()) return facts.error();
    if (facts->partitions != 1)
      return Fault{Fault::Kind::mismatch,
                   fmt::format("topic {} has {} partitions and must have one: say once more: souk "
                               "cluster init --kafka {} --cluster {}",
                               name, facts->partitions, kafka.brokers, kafka.cluster)};
  }
  return Done{};
}

}  // namespace

Result<std::unique_ptr<KafkaCluster>, Fault> KafkaCluster::open(
    const KafkaOptions& kafka, const cluster::ClusterNodeOptions& options,
    const std::function<bool()>& give_up) {
  if (auto s = look_at_topics(kafka); !s.ok()) return s.error();
  auto made = std::make_unique<KafkaCluster>();
  auto control = KafkaBroker::open(kafka, kafka.control_topic(), 1);
  if (!control.ok()) return control.error();
  made->control_ = std::move(*control);
  auto liveness = KafkaBroker::open(kafka, kafka.liveness_topic(), 1);
  if (!liveness.ok()) return liveness.error();
  made->liveness_ = std::move(*liveness);
  auto node = cluster::ClusterNode::open(options, {*made->control_, *made->liveness_}, give_up);
  if (!node.ok()) return node.error();
  made->node_ = std::move(*node);
  return made;
}

}  // namespace souk
