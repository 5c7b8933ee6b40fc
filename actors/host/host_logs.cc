#include "actors/host/host_logs.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <bit>

#include "actors/host/fail_stop.h"

namespace souk {
namespace {

/// A disk that takes a file but not a write settles and fails several times a second.
FaultLog commits_fail(
    "what was written is in doubt, commands wait or are refused until it is decided");

void count_commit(EngineCounters& c, const std::vector<Batch>& batches,
                  std::chrono::nanoseconds took) {
  constexpr auto relaxed = std::memory_order_relaxed;
  std::uint64_t events = 0, bytes = 0;
  for (const auto& b : batches) {
    events += b.last_seq - b.first_seq + 1;
    bytes += b.bytes.size();
  }
  const auto ns = static_cast<std::uint64_t>(took.count());
  c.commits.fetch_add(1, relaxed);
  c.committed_batches.fetch_add(batches.size(), relaxed);
  c.committed_events.fetch_add(events, relaxed);
  c.commit_bytes.fetch_add(bytes, relaxed);
  c.commit_ns_total.fetch_add(ns, relaxed);
  const auto bucket = [](std::uint64_t value, std::size_t buckets) {
    return std::min(static_cast<std::size_t>(std::bit_width(value)), buckets - 1);
  };
  c.commit_us_log2[bucket(ns / 1000, c.commit_us_log2.size())].fetch_add(1, relaxed);
  c.batch_events_log2[bucket(events, c.batch_events_log2.size())].fetch_add(1, relaxed);
}

template <class Msg, class List>
void tell(const caf::actor& host, List& list) {
  if (list.empty()) return;
  auto told = std::make_shared<List>();
  told->swap(list);
  caf::anon_send(host, Msg{std::move(told)});
}

}  // namespace

void HostLogs::start(const std::vector<caf::actor>& hosts) {
  hosts_ = hosts;
  news_.resize(hosts.size());
  logs_.start(*this);
}

void HostLogs::stop() {
  logs_.stop();
  hosts_.clear();
}

void HostLogs::append(std::vector<Batch>& batches) {
  if (batches.empty()) return;
  for (Batch& batch : batches) {
    ShardLog& log = logs_.log(batch.shard);
    log.append(std::move(batch));
  }
  batches.clear();
  logs_.flush();
}

void HostLogs::claim(std::vector<ShardId>& shards) {
  if (shards.empty()) return;
  for (const ShardId shard : shards)
    logs_.log(shard).claim(incarnation_, [this, shard](Result<ShardLog::Claimed, Fault> claimed) {
      if (claimed.ok()) news_of(shard).claimed.emplace_back(shard, *claimed);
    });
  shards.clear();
  logs_.flush();
}

void HostLogs::follow(std::vector<std::pair<ShardId, bool>>& shards) {
  for (const auto& [shard, whether] : shards) logs_.log(shard).follow(whether);
  shards.clear();
}

void HostLogs::landed(ShardId shard, const std::vector<LogAck>& acks) {
  news_of(shard).landed.push_back({shard, acks.front().offset, acks.back().offset});
  if (cluster_) cluster_->wrote(shard, acks.back().offset + 1);
}

void HostLogs::doubted(ShardId shard, const Fault& why) {
  if (!failing_) {
    commits_fail.failed(fmt::format("what=\"{}\"", one_line(why.what)));
    counters_.commit_failures.fetch_add(1, std::memory_order_relaxed);
  }
  failing_ = true;
  news_of(shard).doubted.push_back(shard);
}

void HostLogs::written(std::vector<Batch>&& records, std::chrono::nanoseconds took) {
  commits_fail.passed();
  count_commit(counters_, records, took);
  durable_ = std::move(records);
}

void HostLogs::found(std::vector<Batch>&& records) {
  if (feed_) feed_->committed(std::move(records));
}

void HostLogs::followed(ShardId shard, const FoldState& place) {
  news_of(shard).followed.push_back(shard);
  if (cluster_) cluster_->followed(shard, place);
}

void HostLogs::given(ShardId shard, const LogOpened& opened) {
  news_of(shard).given.emplace_back(shard, opened);
}

void HostLogs::begins() {
  failing_ = false;
  counters_.journal_pulse.begin(steady_ms());
}

/// The hosts first: clients wait for them, and readers do not.
void HostLogs::ends() {
  for (std::size_t h = 0; h < hosts_.size(); ++h) {
    tell<LandedMsg>(hosts_[h], news_[h].landed);
    tell<DoubtedMsg>(hosts_[h], news_[h].doubted);
    tell<FollowedMsg>(hosts_[h], news_[h].followed);
    tell<ClaimedMsg>(hosts_[h], news_[h].claimed);
    tell<GivenMsg>(hosts_[h], news_[h].given);
  }
  if (feed_ && !durable_.empty()) feed_->committed(std::move(durable_));
  durable_.clear();
  counters_.journal_pulse.end();
}

}  // namespace souk
