#pragma once
/// How the brokers of a Kafka cluster are reached.
#include <cstdint>
#include <map>
#include <string>

#include "events/result.h"

namespace souk {

struct KafkaOptions {
  std::string brokers;  // "HOST:PORT,..."
  std::string cluster;  // of Souk: topics are named CLUSTER.events, CLUSTER.control, ...
  /// Settings of librdkafka that say how brokers are reached: security.protocol, ssl.*, sasl.*,
  /// socket.keepalive.enable, broker.address.family, debug.
  std::map<std::string, std::string> properties = {};

  std::string events_topic() const { return cluster + ".events"; }
  std::string control_topic() const { return cluster + ".control"; }
  std::string liveness_topic() const { return cluster + ".liveness"; }
};

/// A file of lines NAME=VALUE, as Kafka's own tools read them; '#' begins a comment.
/// Errors: mismatch, with file and line.
Result<std::map<std::string, std::string>, Fault> read_kafka_properties(const std::string& path);
/// Whether a setting may stand in KafkaOptions::properties. Errors: mismatch, with words.
Status check_kafka_property(const std::string& name);
/// 1 to 100 letters, digits, '_' and '-'. Errors: mismatch, with words.
Status check_cluster_name(const std::string& name);

}  // namespace souk
