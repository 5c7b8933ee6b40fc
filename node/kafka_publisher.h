#pragma once
/// The integration topics of a node: the way to them in Kafka, and who publishes.
#include <functional>
#include <memory>
#include <vector>

#include "events/integration/kafka_topic_writer.h"
#include "projections/integration/publisher.h"

namespace souk {

/// Lifecycle: open -> start -> stop. `source` outlives it.
class KafkaPublisher {
 public:
  /// `owned`: PublisherOptions::owned. Brokers that do not answer are waited for later.
  /// Errors: mismatch: the topics are not there; in words for an operator.
  static Result<std::unique_ptr<KafkaPublisher>, Fault> open(
      const KafkaOptions& kafka, LogSource source, std::function<std::vector<bool>()> owned);

  void start() { publisher_->start(); }
  void stop() { publisher_->stop(); }
  /// Thread: any.
  PublisherStatus status() const { return publisher_->status(); }

 private:
  std::unique_ptr<KafkaTopicWriter> writer_;
  std::unique_ptr<Publisher> publisher_;
};

}  // namespace souk
