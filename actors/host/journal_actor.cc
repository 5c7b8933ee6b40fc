#include <fmt/format.h>
#include <pthread.h>
#include <spdlog/spdlog.h>

#include <bit>
#include <chrono>

#include "actors/host/actors.h"
#include "actors/host/fail_stop.h"
#include "events/fault_log.h"
#include "events/thread_slice.h"

namespace souk {
namespace {

using Self = caf::stateful_actor<JournalActorState>;

/// A disk that takes a file but not a write settles and fails several times a second.
FaultLog commits_fail("commit failed, commands are refused until the disk is sound");

/// Tells each host what became of its batches.
template <class Msg>
void tell_hosts(Self* self, const std::vector<Batch>& batches,
                const std::vector<std::uint32_t>& hosts) {
  std::vector<std::shared_ptr<std::vector<CommitRange>>> ranges(self->state.hosts.size());
  for (std::size_t i = 0; i < batches.size(); ++i) {
    auto& list = ranges[hosts[i]];
    if (!list) list = std::make_shared<std::vector<CommitRange>>();
    list->push_back({batches[i].shard, batches[i].last_seq, batches[i].epoch});
  }
  for (std::size_t h = 0; h < ranges.size(); ++h)
    if (ranges[h]) caf::anon_send(self->state.hosts[h], Msg{std::move(ranges[h])});
}

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

/// The failed write and all that queued behind it: what they held is unknown or never happened.
void fail(Self* self, const Fault& fault) {
  auto& s = self->state;
  if (!s.failing) commits_fail.failed(fmt::format("what=\"{}\"", one_line(fault.what)));
  s.failing = true;
  s.counters->commit_failures.fetch_add(1, std::memory_order_relaxed);
  for (auto& [host, batch] : s.pending) {
    s.writing_hosts.push_back(host);
    s.writing.push_back(std::move(batch));
  }
  s.pending.clear();
  for (const auto& b : s.writing) {
    s.epoch_min[b.shard.value] = std::max(s.epoch_min[b.shard.value], b.epoch + 1);
    const auto first = s.unknown.try_emplace(b.shard.value, b.first_seq).first;
    first->second = std::min(first->second, b.first_seq);
  }
  tell_hosts<FailedMsg>(self, s.writing, s.writing_hosts);
  s.writing.clear();
  s.writing_hosts.clear();
  self->delayed_send(self, std::chrono::milliseconds(settle_retry_ms), SettleMsg{});
}

void written(Self* self, const Status& status, std::chrono::nanoseconds took) {
  auto& s = self->state;
  s.busy = false;
  if (!status.ok()) return fail(self, status.error());
  commits_fail.passed();
  count_commit(*s.counters, s.writing, took);
  tell_hosts<CommittedMsg>(self, s.writing, s.writing_hosts);
  if (s.feed) s.feed->committed(std::move(s.writing));
  s.writing.clear();
  s.writing_hosts.clear();
  if (!s.pending.empty() && !s.flush_sent) {
    s.flush_sent = true;
    self->send(self, FlushJournalMsg{});
  }
}

/// What of the failed writes is there after all: those who read the feed would otherwise not hear
/// of it before the next commit of its shard, and its clients are told of it on a repeat.
/// Errors: unavailable. What is corrupt the shard itself will find.
Status feed_what_was_unknown(JournalActorState& s) {
  std::vector<Batch> found;
  for (const auto& [shard, from] : s.unknown) {
    const auto scanned = s.journal->scan({shard}, from, [&](Seq first_seq, std::string_view bytes) {
      const auto header = decode_batch_header(bytes);
      if (!header.ok()) return false;
      if (first_seq >= from)
        found.push_back({.shard = {shard},
                         .first_seq = first_seq,
                         .last_seq = header->last_seq(),
                         .epoch = header->epoch,
                         .chain = header->chain,
                         .bytes = std::string(bytes)});
      return true;
    });
    if (!scanned.ok() && scanned.error().kind != Fault::Kind::corrupt) return scanned;
  }
  s.unknown.clear();
  if (s.feed && !found.empty()) s.feed->committed(std::move(found));
  return Done{};
}

void write(Self* self) {
  auto& s = self->state;
  s.busy = true;
  s.writing.reserve(s.pending.size());
  for (auto& [host, batch] : s.pending) {
    s.writing_hosts.push_back(host);
    s.writing.push_back(std::move(batch));
  }
  s.pending.clear();
  const Busy busy(s.counters->journal_pulse);
  const auto began = std::chrono::steady_clock::now();
  std::optional<Status> at_once;
  s.inside_write = true;
  caf::actor me = self;
  s.journal->write(s.writing, [self, me, &at_once, &inside = s.inside_write](Status status) {
    if (inside)
      at_once = std::move(status);
    else
      caf::anon_send(me, WriteDoneMsg{std::move(status)});
    (void)self;
  });
  s.inside_write = false;
  if (at_once) written(self, *at_once, std::chrono::steady_clock::now() - began);
}

}  // namespace

caf::behavior journal_actor(Self* self, Journal* journal, EngineCounters* counters,
                            CommitFeed* feed, std::uint32_t shards) {
  fail_stop(self, "journal");
  self->state.journal = journal;
  self->state.counters = counters;
  self->state.feed = feed;
  self->state.epoch_min.resize(shards);
  return {
      [self](HostsMsg& m) {
        ::pthread_setname_np(::pthread_self(), "journal");  // a thread of its own
        short_time_slice();
        self->state.hosts = std::move(m.hosts);
      },
      [self](AppendMsg& m) {
        auto& s = self->state;
        std::vector<Batch> refused;
        for (auto& b : *m.batches) {
          if (s.failing || b.epoch < s.epoch_min[b.shard.value]) {
            s.epoch_min[b.shard.value] = std::max(s.epoch_min[b.shard.value], b.epoch + 1);
            refused.push_back(std::move(b));
          } else {
            s.pending.emplace_back(m.host, std::move(b));
          }
        }
        if (!refused.empty())
          tell_hosts<FailedMsg>(self, refused, std::vector<std::uint32_t>(refused.size(), m.host));
        if (s.pending.empty() || s.flush_sent || s.busy) return;
        s.flush_sent = true;
        self->send(self, FlushJournalMsg{});
      },
      [self](const FlushJournalMsg&) {
        self->state.flush_sent = false;
        if (!self->state.busy && !self->state.failing && !self->state.pending.empty()) write(self);
      },
      [self](const WriteDoneMsg& m) { written(self, m.status, std::chrono::nanoseconds(0)); },
      [self](const SettleMsg&) {
        auto& s = self->state;
        const Busy busy(s.counters->journal_pulse);
        Status status = s.journal->settle();
        if (status.ok()) status = feed_what_was_unknown(s);
        if (!status.ok()) {
          self->delayed_send(self, std::chrono::milliseconds(settle_retry_ms), SettleMsg{});
          return;
        }
        spdlog::debug("journal settled, commands are taken again");
        s.failing = false;
        for (auto& host : s.hosts) caf::anon_send(host, SettledMsg{});
      },
  };
}

}  // namespace souk
