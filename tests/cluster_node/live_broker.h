#pragma once
/// A log of several nodes in memory that lands what is produced at once, and can be cut off from one
/// of them. Thread: any.
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "events/shared_log/log_broker.h"
#include "events/shared_log/shared_logs.h"

namespace souk::cluster_node_test {

inline constexpr std::uint64_t genesis_number = 77;

/// What all nodes share.
struct LiveTopic {
  std::mutex mutex;
  std::condition_variable grown;
  std::map<std::uint32_t, std::vector<std::string>> logs;

  explicit LiveTopic(std::uint32_t shards) {
    for (std::uint32_t s = 0; s < shards; ++s) logs[s].push_back(genesis::record({genesis_number}));
  }
};

/// One node's way to it.
class LiveBroker final : public LogBroker {
 public:
  explicit LiveBroker(LiveTopic& topic) : topic_(topic) {}

  /// From now on nothing goes either way: what is produced is lost, and nobody says so.
  void cut(bool cut) {
    const std::lock_guard lock(topic_.mutex);
    cut_ = cut;
    topic_.grown.notify_all();
  }

  void produce(ShardId shard, std::uint64_t tag, std::string_view bytes) override {
    const std::lock_guard lock(topic_.mutex);
    if (cut_) return;
    auto& log = topic_.logs.at(shard.value);
    log.emplace_back(bytes);
    reports_.push_back({shard, tag, log.size(), {}});
    topic_.grown.notify_all();
  }
  void read(ShardId shard, Offset from) override {
    const std::lock_guard lock(topic_.mutex);
    readings_[shard.value] = from;
  }
  void stop_reading(ShardId shard) override {
    const std::lock_guard lock(topic_.mutex);
    readings_.erase(shard.value);
  }
  void poll(std::chrono::milliseconds patience, Listener& listener) override {
    std::deque<Report> reports;
    std::vector<std::pair<std::uint32_t, std::pair<Offset, std::string>>> arrived;
    {
      std::unique_lock lock(topic_.mutex);
      const auto any = [&] {
        if (cut_) return woken_;
        if (woken_ || !reports_.empty()) return true;
        for (const auto& [shard, from] : readings_)
          if (from <= topic_.logs.at(shard).size()) return true;
        return false;
      };
      topic_.grown.wait_for(lock, patience, any);
      woken_ = false;
      if (cut_) return;
      reports.swap(reports_);
      for (auto& [shard, from] : readings_)
        for (const auto& log = topic_.logs.at(shard); from <= log.size(); ++from)
          arrived.push_back({shard, {from, log[from - 1]}});
    }
    for (const auto& report : reports) listener.reported(report);
    for (const auto& [shard, record] : arrived)
      listener.arrived({static_cast<std::uint16_t>(shard)}, record.first, record.second);
  }
  void wake() override {
    const std::lock_guard lock(topic_.mutex);
    woken_ = true;
    topic_.grown.notify_all();
  }
  Result<std::vector<Offset>, Fault> ends() override {
    const std::lock_guard lock(topic_.mutex);
    std::vector<Offset> ends;
    for (const auto& [shard, log] : topic_.logs) ends.push_back(log.size() + 1);
    return ends;
  }
  std::size_t part_bytes() const override { return 0; }

 private:
  LiveTopic& topic_;
  std::deque<Report> reports_;
  std::map<std::uint32_t, Offset> readings_;
  bool woken_ = false;
  bool cut_ = false;
};

}  // namespace souk::cluster_node_test
