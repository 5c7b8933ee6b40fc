#pragma once
/// A topic of Kafka as several nodes have it: what one produces lands late, twice, or never, is
/// reported late or wrongly, in another order than those of others; what is in it is seen late.
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "events/shared_log/log_broker.h"
#include "tests/simulation/logs.h"
#include "tests/simulation/world.h"

namespace souk::simulation {

/// In percent of the records, or of the looks of a consumer.
struct TopicFaults {
  int slow = 0;  // to land
  int report_slow = 0;
  int lost = 0;       // it does not land, and is reported as failed
  int unknown = 0;    // it lands, and is reported as failed
  int late = 0;       // it is reported as failed, and lands later
  int silent = 0;     // it lands or not, and nothing is reported for long
  int twice = 0;      // it lands once more, later
  int swapped = 0;    // its report comes before that of the one before
  int seen_late = 0;  // the consumer stalls
};

/// Which way between a node and the brokers is open.
struct Road {
  bool there = true;  // what it produces arrives
  bool back = true;   // reports and records come
};

class SimTopic {
 public:
  /// `genesis`: the number with which each log begins.
  SimTopic(World& world, std::uint32_t shards, std::uint64_t genesis);
  SimTopic(const SimTopic&) = delete;

  TopicFaults faults;
  /// Nobody hears of the log of `shard` for so long: its leader is being replaced.
  void pause(ShardId shard, std::int64_t ms) {
    paused_until_ms_[shard.value] = world_.time_ms() + ms;
  }
  void calm_down();
  const std::vector<std::string>& log(ShardId shard) const { return logs_[shard.value]; }
  std::uint32_t shards() const { return static_cast<std::uint32_t>(logs_.size()); }
  /// Who owns the shard by all of its log.
  const Counting& standing(ShardId shard) const { return standing_[shard.value]; }
  /// For the judge.
  SimJournal::Records records() const;

  /// A node's way to it, in one of its lives: a client of Kafka.
  class Client;
  /// `road`: outlives the topic's events.
  std::unique_ptr<Client> connect(std::shared_ptr<const Road> road);

 private:
  struct Session;
  bool paused(std::uint16_t shard) const { return world_.time_ms() < paused_until_ms_[shard]; }
  Offset append(std::uint16_t shard, std::string_view bytes);
  void pump(const std::shared_ptr<Session>& session, std::uint16_t shard);
  void land(const std::shared_ptr<Session>& session, std::uint16_t shard);
  void report(const std::shared_ptr<Session>& session, std::uint16_t shard, std::uint64_t tag,
              Offset offset, std::int64_t delay_ms);
  void look_later(const std::shared_ptr<Session>& session, std::uint16_t shard);
  void look(const std::shared_ptr<Session>& session, std::uint16_t shard);

  World& world_;
  std::vector<std::vector<std::string>> logs_;
  std::vector<Counting> standing_;
  std::vector<std::int64_t> paused_until_ms_;
  std::vector<std::weak_ptr<Session>> sessions_;
};

class SimTopic::Client final : public LogBroker {
 public:
  Client(SimTopic& topic, std::shared_ptr<Session> session);
  /// The process dies. What it had sent may land yet.
  ~Client() override;

  /// What poll() would tell of, or somebody woke it.
  bool has_news() const;
  /// Whether poll() waits for nothing: what is in the log arrives at once.
  void start(bool starting);
  /// As the naive rule would see it: what landed is reported at the place behind the one before.
  void lie();

  void produce(ShardId shard, std::uint64_t tag, std::string_view bytes) override;
  void read(ShardId shard, Offset from) override;
  void stop_reading(ShardId shard) override;
  void poll(std::chrono::milliseconds patience, Listener& listener) override;
  void wake() override;
  Result<std::vector<Offset>, Fault> ends() override;
  std::size_t part_bytes() const override { return part_bytes_max; }

  std::size_t part_bytes_max = 0;

 private:
  SimTopic& topic_;
  const std::shared_ptr<Session> session_;
};

}  // namespace souk::simulation
