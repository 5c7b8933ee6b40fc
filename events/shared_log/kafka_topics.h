#pragma once
/// The topics of a cluster, as an operator makes them and a node looks at them before it trusts them
/// with what it acknowledges.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "events/result.h"
#include "events/shared_log/kafka_options.h"

namespace souk {

/// A setting of a topic, as the brokers report it.
struct TopicSetting {
  std::string value;
  std::string source;  // in words: who says so
};
struct TopicFacts {
  std::uint32_t partitions = 0;
  std::uint32_t replicas = 0;  // of the partition that has the fewest
  std::map<std::string, TopicSetting> settings;
};

struct TopicDemands {
  std::uint32_t partitions = 0;  // 0: any
  /// A broker alone has nobody to replicate to: what it loses is lost.
  bool single = false;
};

/// All that is wrong with a topic, a line each: the setting, its value and where that comes from,
/// what it would cost, and the command that mends it. Empty: nothing. Pure.
std::vector<std::string> faults_of(const std::string& topic, const TopicFacts& facts,
                                   const TopicDemands& demands, const std::string& brokers);

/// Lifecycle: open, use. Each call blocks until the brokers answer, at most some seconds.
/// Thread: one.
class KafkaTopics {
 public:
  /// Errors: mismatch: a setting that librdkafka refuses.
  static Result<std::unique_ptr<KafkaTopics>, Fault> open(const KafkaOptions& options);
  ~KafkaTopics();

  /// The id that Kafka gave its own cluster. Errors: unavailable.
  Result<std::string, Fault> cluster_id();
  /// 0: there is no such topic. Needs no right but to read it. Errors: unavailable.
  Result<std::uint32_t, Fault> partitions(const std::string& topic);
  /// No partitions: there is no such topic. Errors: unavailable.
  Result<TopicFacts, Fault> look(const std::string& topic);
  struct NewTopic {
    std::string name;
    std::uint32_t partitions = 1;
    std::uint32_t replicas = 3;
    std::map<std::string, std::string> settings;
  };
  enum class Made : std::uint8_t { made, was_there };
  /// Errors: mismatch: the brokers refuse it, in their words; unavailable.
  Result<Made, Fault> make(const NewTopic& topic);

 private:
  struct Impl;
  explicit KafkaTopics(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The topic of all events: it keeps everything, says nothing of its own, and elects no leader that
/// lacks what was acknowledged.
KafkaTopics::NewTopic events_topic(const KafkaOptions& options, std::uint32_t shards,
                                   std::uint32_t replicas);
/// What the cluster decided of itself; kept as the events are.
KafkaTopics::NewTopic control_topic(const KafkaOptions& options, std::uint32_t replicas);
/// Heartbeats: of use for seconds.
KafkaTopics::NewTopic liveness_topic(const KafkaOptions& options, std::uint32_t replicas);

}  // namespace souk
