#pragma once
/// The way to the integration topics. No more of it than the publisher stands on: a test plays it in
/// memory, kafka_topic_writer.* has it over librdkafka.
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "events/ids.h"
#include "events/integration/integration_topics.h"
#include "events/result.h"

namespace souk {

/// Thread: one, unless a function says otherwise.
class TopicWriter {
 public:
  struct Record {
    IntegrationTopic topic = IntegrationTopic::orders;
    ShardId shard;
    Seq position = 0;
    std::string_view key;
    std::string_view value;
  };

  /// Hears all that poll() finds, inside of it.
  class Listener {
   public:
    virtual ~Listener() = default;
    /// On as many brokers as the topic demands. In the order of `send` for each topic and shard.
    virtual void written(IntegrationTopic topic, ShardId shard, Seq position) = 0;
    /// Records of this topic cannot be written. What was sent since the last start_anew() and is not
    /// reported is in the topic or is not.
    virtual void failed(IntegrationTopic topic, const Fault& why) = 0;
  };

  virtual ~TopicWriter() = default;

  enum class Sent : std::uint8_t { taken, full };
  /// Sends a record to the end of its partition, behind those that were sent before. None is ever
  /// passed over: where one cannot be written, nothing behind it is, and failed() says so.
  /// Does not wait. full: nothing was done, try again after poll().
  virtual Sent send(const Record& record) = 0;
  /// Tells `listener` what there is; waits for it up to `patience`.
  virtual void poll(std::chrono::milliseconds patience, Listener& listener) = 0;
  /// Forgets all that was sent to the topic and is not reported: nothing of it is reported any more,
  /// and what was not on its way never will be.
  virtual void start_anew(IntegrationTopic topic) = 0;

  /// Up to where the topic has all that belongs into it, of each of these shards; 0: nothing is known.
  /// By the last record of each partition, and by what was noted.
  /// Errors: mismatch: the topic is not there, or has another number of partitions; in words for an
  /// operator. unavailable. Blocks, for seconds.
  virtual Result<std::vector<Seq>, Fault> places(IntegrationTopic topic,
                                                 const std::vector<ShardId>& shards) = 0;
  struct Note {
    IntegrationTopic topic = IntegrationTopic::orders;
    ShardId shard;
    Seq position = 0;
  };
  /// Keeps that the topics have all up to there, for whoever asks for places() next, also where their
  /// last records are older or expired. Does not wait, and may be lost.
  virtual void note(const std::vector<Note>& notes) = 0;
};

}  // namespace souk
