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

/// The keys of persons go over the links of the node.
class KafkaCluster::Keys final : public cluster::KeyPeers, public cluster::Passenger {
 public:
  explicit Keys(cluster::ClusterNode& node) : node_(node) {}
  void bring_to(cluster::ReplicatedVault& vault) { vault_ = &vault; }

  bool send(const std::string& node, std::string frame) override {
    return node_.router().send_for_passenger(node, frame);
  }
  std::vector<std::string> nodes() override {
    std::vector<std::string> names;
    for (const auto& node : node_.view()->state.cluster().nodes) names.push_back(node.name);
    return names;
  }
  void up(const std::string& node) override { vault_->up(node); }
  void down(const std::string& node) override { vault_->down(node); }
  void received(const std::string& node, std::string_view frame) override {
    vault_->received(node, frame);
  }
  void tick() override {
    using namespace std::chrono;
    vault_->tick(duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
  }

 private:
  cluster::ClusterNode& node_;
  cluster::ReplicatedVault* vault_ = nullptr;
};

KafkaCluster::~KafkaCluster() { stop(); }

void KafkaCluster::stop() {
  if (vault_) vault_->close();
  if (node_) node_->stop();
}

Status KafkaCluster::share_keys(SodiumVault& vault) {
  keys_ = std::make_unique<Keys>(*node_);
  auto opened = cluster::ReplicatedVault::open(vault, *keys_, {.node = node_->name()});
  if (!opened.ok()) return opened.error();
  vault_ = std::move(*opened);
  keys_->bring_to(*vault_);
  node_->router().carry(*keys_);
  return Done{};
}

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
