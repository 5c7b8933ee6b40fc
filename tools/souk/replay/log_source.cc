#include "tools/souk/replay/log_source.h"

#include <fmt/format.h>

#include "actors/adapters/stores.h"
#include "events/shared_log/broker_journal.h"
#include "events/shared_log/kafka_broker.h"
#include "events/shared_log/kafka_topics.h"

namespace souk::cli {
namespace {

class TopicSource final : public LogSource {
 public:
  TopicSource(std::string name, std::unique_ptr<KafkaBroker> broker,
              std::unique_ptr<BrokerJournal> journal)
      : name_(std::move(name)), broker_(std::move(broker)), journal_(std::move(journal)) {}

  std::string name() const override { return name_; }
  std::uint32_t shards() const override {
    return static_cast<std::uint32_t>(journal_->ends().size());
  }
  Result<std::uint64_t, Fault> records(ShardId shard) override {
    return journal_->ends()[shard.value] - 1;
  }
  Journal& journal() override { return *journal_; }

 private:
  const std::string name_;
  const std::unique_ptr<KafkaBroker> broker_;
  const std::unique_ptr<BrokerJournal> journal_;
};

class DirectorySource final : public LogSource {
 public:
  DirectorySource(std::string name, Stores stores)
      : name_(std::move(name)), stores_(std::move(stores)) {}

  std::string name() const override { return name_; }
  std::uint32_t shards() const override { return stores_.directory->manifest().shards; }
  Result<std::uint64_t, Fault> records(ShardId shard) override {
    std::uint64_t last = 0;
    const auto there = stores_.journal->last(shard, [&](Offset offset, std::string_view) {
      last = offset;
      return false;
    });
    if (!there.ok()) return there.error();
    return last;
  }
  Journal& journal() override { return *stores_.journal; }

 private:
  const std::string name_;
  Stores stores_;
};

}  // namespace

OpenedSource open_topic(const KafkaOptions& options) {
  const std::string topic = options.events_topic();
  const auto topics = KafkaTopics::open(options);
  if (!topics.ok()) return topics.error();
  const auto shards = (*topics)->partitions(topic);
  if (!shards.ok()) return Fault{shards.error().kind, options.brokers + ": " + shards.error().what};
  if (*shards == 0)
    return Fault{Fault::Kind::mismatch,
                 fmt::format("{}: there is no topic {}: is the cluster called otherwise "
                             "(--cluster), or was it never made (souk cluster init)?",
                             options.brokers, topic)};
  auto broker = KafkaBroker::open(options, topic, *shards, KafkaBroker::Use::read);
  if (!broker.ok()) return broker.error();
  auto journal = BrokerJournal::open(**broker);
  if (!journal.ok()) return journal.error();
  return std::unique_ptr<LogSource>(
      std::make_unique<TopicSource>(fmt::format("topic {} of {}", topic, options.brokers),
                                    std::move(*broker), std::move(*journal)));
}

OpenedSource open_directory(const std::string& path) {
  auto stores = Stores::open_read_only(path);
  if (!stores.ok()) return stores.error();
  return std::unique_ptr<LogSource>(std::make_unique<DirectorySource>(path, std::move(*stores)));
}

}  // namespace souk::cli
