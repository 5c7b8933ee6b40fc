#pragma once
/// The integration topics in memory, and a writer whose network is played by hand.
#include <array>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "events/integration/topic_writer.h"

namespace souk::test {

struct MemoryRecord {
  IntegrationTopic topic = IntegrationTopic::orders;
  ShardId shard;
  Seq position = 0;
  std::string key, value;
};

/// What all nodes share.
struct MemoryTopics {
  using Partition = std::pair<IntegrationTopic, std::uint16_t>;
  std::map<Partition, std::vector<MemoryRecord>> partitions;
  std::map<Partition, Seq> notes;
  std::array<bool, integration_topic_count> missing{};
};

class MemoryTopicWriter final : public TopicWriter {
 public:
  explicit MemoryTopicWriter(MemoryTopics& topics) : topics_(topics) {}

  std::size_t room = 1'000'000;  // so many fit on the way
  bool away = false;             // the brokers do not answer
  std::size_t asked = 0;         // for places, of shards
  std::size_t sent = 0;
  std::size_t most_on_the_way = 0;

  Sent send(const Record& r) override {
    auto& way = on_the_way_[index(r.topic)];
    if (failed_[index(r.topic)] || count() >= room) return Sent::full;
    way.push_back({r.topic, r.shard, r.position, std::string(r.key), std::string(r.value)});
    ++sent;
    most_on_the_way = std::max(most_on_the_way, count());
    return Sent::taken;
  }
  void poll(std::chrono::milliseconds, Listener& listener) override {
    for (auto& fault : failing_)
      if (fault) {
        const auto [topic, why] = *std::exchange(fault, std::nullopt);
        reports_[index(topic)].clear();
        listener.failed(topic, why);
      }
    for (auto& reports : reports_)
      for (; !reports.empty(); reports.pop_front())
        listener.written(reports.front().topic, reports.front().shard, reports.front().position);
  }
  /// What was on its way to the brokers may land yet.
  void start_anew(IntegrationTopic topic) override {
    auto& way = on_the_way_[index(topic)];
    for (auto& one : way) late_.push_back(std::move(one));
    way.clear();
    reports_[index(topic)].clear();
    failed_[index(topic)] = false;
  }
  Result<std::vector<Seq>, Fault> places(IntegrationTopic topic,
                                         const std::vector<ShardId>& shards) override {
    if (away) return Fault{Fault::Kind::unavailable, "the brokers do not answer"};
    if (topics_.missing[index(topic)]) return Fault{Fault::Kind::mismatch, "there is no topic"};
    asked += shards.size();
    std::vector<Seq> found;
    for (const ShardId shard : shards) {
      const auto& partition = topics_.partitions[{topic, shard.value}];
      const Seq last = partition.empty() ? 0 : partition.back().position;
      found.push_back(std::max(last, topics_.notes[{topic, shard.value}]));
    }
    return found;
  }
  void note(const std::vector<Note>& notes) override {
    for (const Note& note : notes) topics_.notes[{note.topic, note.shard.value}] = note.position;
  }

  // ---- the network ----

  enum class Reports { come, do_not_come };
  /// The oldest `n` of a topic that are on their way land.
  void land(IntegrationTopic topic, std::size_t n, Reports reports = Reports::come) {
    auto& way = on_the_way_[index(topic)];
    for (; n > 0 && !way.empty(); --n, way.pop_front()) {
      if (reports == Reports::come) reports_[index(topic)].push_back(way.front());
      store(std::move(way.front()));
    }
  }
  void land_all() {
    for (const auto topic : integration_topics) land(topic, SIZE_MAX);
  }
  /// Of what was on its way when it began anew, or when the node was given up.
  void land_late(std::size_t n) {
    for (; n > 0 && !late_.empty(); --n, late_.pop_front()) store(std::move(late_.front()));
  }
  /// So many of what is on its way land without a report, and the writer fails.
  void fail(IntegrationTopic topic, std::size_t landed, const char* why = "refused") {
    land(topic, landed, Reports::do_not_come);
    failed_[index(topic)] = true;
    failing_[index(topic)] = {topic, Fault{Fault::Kind::unavailable, why}};
  }
  std::size_t count() const {
    std::size_t n = 0;
    for (const auto& way : on_the_way_) n += way.size();
    return n;
  }
  std::size_t late() const { return late_.size(); }

 private:
  static std::size_t index(IntegrationTopic topic) { return static_cast<std::size_t>(topic); }
  void store(MemoryRecord&& record) {
    if (!topics_.missing[index(record.topic)])
      topics_.partitions[{record.topic, record.shard.value}].push_back(std::move(record));
  }

  MemoryTopics& topics_;
  std::array<std::deque<MemoryRecord>, integration_topic_count> on_the_way_;
  std::array<std::deque<MemoryRecord>, integration_topic_count> reports_;
  std::deque<MemoryRecord> late_;
  std::array<bool, integration_topic_count> failed_{};
  std::array<std::optional<std::pair<IntegrationTopic, Fault>>, integration_topic_count> failing_;
};

}  // namespace souk::test
