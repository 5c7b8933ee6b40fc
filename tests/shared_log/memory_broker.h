#pragma once
/// A log of several nodes, in memory and under the test's hand: it decides which record lands, which
/// is reported, and which is lost.
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "events/shared_log/log_broker.h"
#include "events/shared_log/shared_logs.h"

namespace souk::shared_log_test {

/// The records of each shard; all nodes see them.
struct MemoryTopic {
  std::map<std::uint16_t, std::vector<std::string>> logs;

  explicit MemoryTopic(std::uint64_t number = 77) { append({0}, genesis::record({number})); }
  std::vector<std::string>& of(ShardId shard) { return logs[shard.value]; }
  Offset append(ShardId shard, std::string_view bytes) {
    of(shard).emplace_back(bytes);
    return of(shard).size();
  }
};

/// One node's way to it. What is produced waits until the test says what becomes of it.
class MemoryBroker final : public LogBroker {
 public:
  explicit MemoryBroker(MemoryTopic& topic) : topic_(topic) {}

  struct Sent {
    ShardId shard;
    std::uint64_t tag = 0;
    std::string bytes;
  };
  std::deque<Sent> sent;
  bool answers = true;  // ends()
  std::size_t part_bytes_max = 0;

  /// The next that was sent lands, and is reported.
  void land() {
    const Sent one = take();
    reports_.push_back({one.shard, one.tag, topic_.append(one.shard, one.bytes), {}});
  }
  void land_all() {
    while (!sent.empty()) land();
  }
  /// It lands, and nobody can say so.
  void land_unknown() {
    const Sent one = take();
    topic_.append(one.shard, one.bytes);
    reports_.push_back({one.shard, one.tag, 0, "timed out"});
  }
  /// It lands, and its report does not come.
  void land_silently() {
    const Sent one = take();
    topic_.append(one.shard, one.bytes);
  }
  /// Neither does it land, nor is that reported.
  void lose_silently() { take(); }
  void lose() {
    const Sent one = take();
    reports_.push_back({one.shard, one.tag, 0, "timed out"});
  }
  /// A report as a client library may give it.
  void report(const Report& report) { reports_.push_back(report); }
  /// Out of order, once more, ...
  std::deque<Report>& reports() { return reports_; }

  void produce(ShardId shard, std::uint64_t tag, std::string_view bytes) override {
    sent.push_back({shard, tag, std::string(bytes)});
  }
  void read(ShardId shard, Offset from) override { readings_[shard.value] = from; }
  void stop_reading(ShardId shard) override { readings_.erase(shard.value); }
  void poll(std::chrono::milliseconds, Listener& listener) override {
    while (!reports_.empty()) {
      const Report one = reports_.front();
      reports_.pop_front();
      listener.reported(one);
    }
    for (bool any = true; any;) {
      any = false;
      for (auto& [shard, from] : std::map(readings_)) {
        const auto& log = topic_.of({shard});
        if (from > log.size() + 1) {
          readings_.erase(shard);
          listener.reading_failed({shard}, {Fault::Kind::corrupt, "offset out of range"});
          continue;
        }
        if (from > log.size()) continue;
        any = true;
        readings_[shard] = from + 1;
        listener.arrived({shard}, from, log[from - 1]);
      }
    }
  }
  void wake() override {}
  Result<std::vector<Offset>, Fault> ends() override {
    if (!answers) return Fault{Fault::Kind::unavailable, "no broker"};
    return std::vector<Offset>{topic_.of({0}).size() + 1};
  }
  std::size_t part_bytes() const override { return part_bytes_max; }
  bool reads(ShardId shard) const { return readings_.contains(shard.value); }

 private:
  Sent take() {
    SOUK_ASSERT(!sent.empty());
    Sent one = std::move(sent.front());
    sent.pop_front();
    return one;
  }

  MemoryTopic& topic_;
  std::deque<Report> reports_;
  std::map<std::uint16_t, Offset> readings_;
};

}  // namespace souk::shared_log_test
