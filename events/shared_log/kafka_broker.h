#pragma once
/// A topic of Kafka as the log of shards: partition i is shard i, offset o of Kafka is offset o + 1
/// here. librdkafka (2.0.2 to 2.8) stays in kafka_*.cc.
///
/// Idempotent producers, each for its part of the shards, and a warm spare: a connection takes four
/// requests at a time, and a request has one partition. Where one meets a fatal error, all that it
/// had sent is reported as unknown and the spare takes its place. One consumer with its partitions
/// assigned by hand; no groups, no transactions.
///
/// Source: design/log-protocol.md, section 8; design/kafka-4.4.md: why each setting is as it is.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "events/shared_log/kafka_options.h"
#include "events/shared_log/log_broker.h"

namespace souk {

class KafkaBroker final : public LogBroker {
 public:
  /// A reader has no producer: it needs no more than the right to read the topic.
  enum class Use : std::uint8_t { read_and_write, read };
  /// `topic`: its name; it has `shards` partitions. Does not wait for the brokers.
  /// Errors: mismatch: a setting that librdkafka refuses.
  static Result<std::unique_ptr<KafkaBroker>, Fault> open(const KafkaOptions& options,
                                                          const std::string& topic,
                                                          std::uint32_t shards,
                                                          Use use = Use::read_and_write);
  ~KafkaBroker() override;

  /// REQUIRES: Use::read_and_write.
  void produce(ShardId shard, std::uint64_t tag, std::string_view bytes) override;
  void read(ShardId shard, Offset from) override;
  void stop_reading(ShardId shard) override;
  void poll(std::chrono::milliseconds patience, Listener& listener) override;
  void wake() override;
  Result<std::vector<Offset>, Fault> ends() override;
  std::size_t part_bytes() const override;

  /// How often a producer died of a fatal error. Thread: any.
  std::uint64_t producers_lost() const;

 private:
  struct Impl;
  explicit KafkaBroker(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace souk
