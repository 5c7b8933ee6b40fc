#pragma once
/// Publishes the events of the shards that this node owns to the integration topics.
///
/// It follows the journal as read models do. On taking a shard over it asks each topic how far it is
/// (TopicWriter::places) and goes on behind that. So do all owners, one after another, and each sends
/// its records in order and leaves none out; then whatever the order in which two owners' records
/// land, the first record of each event stands behind the first one of the event before it. Who drops
/// records whose position is not above the last one seen of the partition has each event once, in
/// order. Repeats are what an owner that was deposed had under way, and they have equal bytes.
///
/// Memory: what is under way is bounded; while it is full, or brokers are away, the journal is not
/// read on. Nobody who writes waits for it.
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "events/fault_log.h"
#include "events/integration/topic_writer.h"
#include "events/log_fold.h"
#include "projections/runner/follower.h"

namespace souk {

struct PublisherOptions {
  std::string source;  // of the events: cloud_event_source()
  /// Which shards this node owns now. Asked by the publisher's thread, every owned_every.
  std::function<std::vector<bool>()> owned;
  std::chrono::milliseconds owned_every{50};
  std::size_t records_under_way_max = 20'000;
  std::size_t bytes_under_way_max = 16 << 20;  // or one record
  std::size_t events_a_step = 2'048;           // of each shard
  std::chrono::milliseconds idle{20};
  std::chrono::milliseconds note_every{2'000};
  std::chrono::minutes note_again_every{60};  // what did not change: Kafka forgets notes after days
  std::chrono::milliseconds retry_after{1'000};
  std::chrono::milliseconds retry_after_max{10'000};
  /// An owner that was just made may not have all of its log yet.
  std::chrono::milliseconds beyond_patience{5'000};
  /// Without a report for so long, something is wrong: librdkafka tries again without a word.
  std::chrono::milliseconds silent_after{10'000};
  std::chrono::milliseconds end_patience{500};
  std::function<std::chrono::steady_clock::time_point()> now = &std::chrono::steady_clock::now;
};

struct PublisherStatus {
  struct Topic {
    IntegrationTopic topic = IntegrationTopic::orders;
    std::uint64_t published = 0;   // records since the start
    std::uint64_t lag_events = 0;  // events of the log, of any kind, that it has not got through
    std::string trouble;  // why nothing is published, in words for an operator; empty: none
  };
  std::size_t shards = 0;  // that this node owns
  std::array<Topic, integration_topic_count> topics;
};

/// Lifecycle: start -> stop; or step by step, in tests. `source` and `writer` outlive it.
class Publisher final : private TopicWriter::Listener {
 public:
  Publisher(LogSource source, TopicWriter& writer, PublisherOptions options);
  ~Publisher() override;

  void start();
  /// Returns within end_patience, and the time that a question to the brokers takes.
  void stop();
  /// One round: ownership, places, the journal, reports. Whether it got on. Thread: one.
  bool step(std::chrono::milliseconds patience);

  /// Thread: any.
  PublisherStatus status() const;

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct UnderWay {
    Seq position = 0;
    std::size_t bytes = 0;
  };
  /// A shard's part of a topic.
  struct Part {
    bool located = false;
    Seq sent = 0;   // all up to there that belongs into the topic was sent, or is in it
    Seq noted = 0;  // told to the writer
    std::deque<UnderWay> under_way;
    Seq through() const { return under_way.empty() ? sent : under_way.front().position - 1; }
  };
  struct Shard {
    bool owned = false;
    FoldState at;  // where the journal is read; each located part has sent what is before
    std::array<Part, integration_topic_count> parts;
  };
  struct Topic {
    Time retry_at{};
    std::chrono::milliseconds rest{0};
    Time beyond_since{};           // the topic says to have more than the log
    std::optional<Fault> failing;  // what poll() told
    std::unique_ptr<FaultLog> faults;
    bool well = true;  // as shown
    std::size_t under_way = 0;
    Time heard_at{};  // of a report, or when the first record was sent
    std::uint64_t published = 0;
  };

  void written(IntegrationTopic topic, ShardId shard, Seq position) override;
  void failed(IntegrationTopic topic, const Fault& why) override;

  void run();
  void look_who_owns(Time now);
  bool locate(Time now);
  bool locate(IntegrationTopic topic, Time now);
  void go_on_from(Shard& shard, IntegrationTopic topic, Seq place);
  bool read(std::uint16_t number, Time now);
  Result<Visited, Fault> visit(std::uint16_t number, const BatchHeader& header,
                               const std::vector<Transaction>& transactions);
  bool send(std::uint16_t number, Seq seq, UnixMs at, const Event& event, IntegrationTopic topic);
  bool has_room(std::size_t bytes) const;
  void rest(IntegrationTopic topic, const Fault& why, Time now);
  void say(IntegrationTopic topic, const Fault& why);
  void is_well(IntegrationTopic topic);
  void judge(IntegrationTopic topic, Time now);
  void begin_anew(IntegrationTopic topic, Time now);
  void note(Time now);
  void show(Time now);

  LogSource source_;
  TopicWriter& writer_;
  PublisherOptions options_;
  std::vector<Shard> shards_;
  std::array<Topic, integration_topic_count> topics_;
  std::size_t records_under_way_ = 0, bytes_under_way_ = 0;
  std::size_t first_shard_ = 0;  // of the next round: all have their turn
  std::string value_;
  bool full_ = false;
  bool got_on_ = false;
  Time owned_at_{}, noted_at_{}, noted_again_at_{}, journal_retry_at_{};
  FaultLog journal_fails_{"the journal cannot be read for the integration topics"};

  mutable std::mutex mutex_;
  PublisherStatus shown_;  // without its lag
  struct Shown {
    bool owned = false;
    std::array<Seq, integration_topic_count> through{};
    std::array<bool, integration_topic_count> located{};
  };
  std::vector<Shown> shards_shown_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace souk
