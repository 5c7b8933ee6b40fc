#include "node/kafka_publisher.h"

#include <utility>

#include "events/cloud_event.h"
#include "events/shared_log/kafka_topics.h"

namespace souk {

Result<std::unique_ptr<KafkaPublisher>, Fault> KafkaPublisher::open(
    const KafkaOptions& kafka, LogSource source, std::function<std::vector<bool>()> owned) {
  const std::uint32_t shards = source.recent.shards();
  auto topics = KafkaTopics::open(kafka);
  if (!topics.ok()) return topics.error();
  if (const auto fits = check_integration_topics(**topics, kafka, shards);
      !fits.ok() && fits.error().kind == Fault::Kind::mismatch)
    return fits.error();
  auto writer = KafkaTopicWriter::open(kafka, shards);
  if (!writer.ok()) return writer.error();
  auto made = std::make_unique<KafkaPublisher>();
  made->writer_ = std::move(*writer);
  PublisherOptions options;
  options.source = cloud_event_source(kafka.cluster);
  options.owned = std::move(owned);
  made->publisher_ = std::make_unique<Publisher>(source, *made->writer_, std::move(options));
  return made;
}

}  // namespace souk
