#pragma once
/// The integration topics in Kafka. librdkafka (2.0.2 to 2.8) stays in the .cc.
///
/// An idempotent producer for each topic, so that one that cannot be written holds up no other; its
/// messages have no timeout of their own and it dies rather than leave one out
/// (enable.gapless.guarantee): a record behind one that is missing would hide it for ever from those
/// who drop repeats by position. A consumer looks at last records, and keeps what is noted: as the
/// committed offsets of the group `CLUSTER.integration`, the position beside each.
#include <memory>

#include "events/integration/topic_writer.h"
#include "events/shared_log/kafka_options.h"
#include "events/shared_log/kafka_topics.h"

namespace souk {

class KafkaTopicWriter final : public TopicWriter {
 public:
  /// Does not wait for the brokers. Errors: mismatch: a setting that librdkafka refuses.
  static Result<std::unique_ptr<KafkaTopicWriter>, Fault> open(const KafkaOptions& options,
                                                               std::uint32_t shards);
  ~KafkaTopicWriter() override;

  Sent send(const Record& record) override;
  void poll(std::chrono::milliseconds patience, Listener& listener) override;
  void start_anew(IntegrationTopic topic) override;
  Result<std::vector<Seq>, Fault> places(IntegrationTopic topic,
                                         const std::vector<ShardId>& shards) override;
  void note(const std::vector<Note>& notes) override;

 private:
  struct Impl;
  explicit KafkaTopicWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// As an operator makes them: a partition for each shard; how long records stay is the brokers' own
/// default (7 days of Kafka's).
std::vector<KafkaTopics::NewTopic> integration_topics_of(const KafkaOptions& options,
                                                         std::uint32_t shards,
                                                         std::uint32_t replicas);

/// Whether a topic with so many partitions (0: it is not there) will do. Errors: mismatch, in words
/// for an operator.
Status fits_integration_topic(const std::string& name, std::uint32_t partitions,
                              std::uint32_t shards, const KafkaOptions& options);
/// Why a node that shall publish cannot. Errors: mismatch, in words for an operator; unavailable.
/// Blocks, for seconds.
Status check_integration_topics(KafkaTopics& topics, const KafkaOptions& options,
                                std::uint32_t shards);

}  // namespace souk
