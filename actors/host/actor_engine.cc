#include "actors/host/actor_engine.h"

#include <algorithm>
#include <atomic>
#include <caf/all.hpp>
#include <thread>

#include "actors/host/fail_stop.h"

namespace souk {
namespace {

/// An actor that is busy with one message for so long is stuck: a sync takes 2 s on a bad disk.
constexpr std::int64_t stuck_ms = 5'000;

std::uint64_t new_incarnation(Randomness& randomness) {
  std::uint64_t n = 0;
  randomness.fill(&n, sizeof n);
  return n;
}

void add(const RecoveryReport& one, std::uint32_t shards, RecoveryReport& to) {
  to.events += one.events;
  to.entities += one.entities;
  to.ignored_records += one.ignored_records;
  to.last_event_at = std::max(to.last_event_at, one.last_event_at);
  to.last_seqs.resize(shards);
  for (std::size_t s = 0; s < one.last_seqs.size(); ++s)
    to.last_seqs[s] = std::max(to.last_seqs[s], one.last_seqs[s]);
}

}  // namespace

ActorEngine::ActorEngine(const EngineOptions& options, EnginePorts ports)
    : ActorEngine(
          options, ports,
          options.incarnation != 0 ? options.incarnation : new_incarnation(ports.randomness)) {}

ActorEngine::ActorEngine(const EngineOptions& options, EnginePorts ports, std::uint64_t incarnation)
    : options_(options),
      ports_(ports),
      logs_(ports.logs, counters_, ports.feed, incarnation, ports.cluster) {
  SOUK_ASSERT(options_.hosts > 0 && options_.hosts <= hosts_max);
  const ShardContext context{.options = options_,
                             .states = ports_.states,
                             .clock = ports_.clock,
                             .randomness = ports_.randomness,
                             .presenter = ports_.presenter,
                             .incarnation = incarnation,
                             .quote_now = {},
                             .freshness = ports_.freshness};
  for (std::uint32_t h = 0; h < options_.hosts; ++h) {
    cores_.push_back(std::make_unique<HostCore>(h, context, ports_.logs));
    payments_.push_back(std::make_shared<PaymentInbox>());
  }
}

Status ActorEngine::recover_shards(std::size_t workers, RecoveryReport& report) {
  std::vector<Owner*> shards;
  for (auto& core : cores_)
    for (auto& s : core->shards()) shards.push_back(s.get());
  if (options_.recovers_late) shards.clear();
  workers = std::clamp<std::size_t>(workers, 1, std::max<std::size_t>(shards.size(), 1));
  std::vector<RecoveryReport> reports(workers);
  std::vector<Status> results(workers, Status(Done{}));
  std::atomic<std::size_t> next{0};
  const auto work = [&](std::size_t w) {
    for (std::size_t i = next++; i < shards.size() && results[w].ok(); i = next++) {
      results[w] = ports_.give_up && ports_.give_up()
                       ? Status(Fault{Fault::Kind::unavailable, "asked to end while recovering"})
                       : shards[i]->recover(reports[w]);
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t w = 1; w < workers; ++w) threads.emplace_back(work, w);
    work(0);
  }
  for (std::size_t w = 0; w < workers; ++w) {
    if (!results[w].ok()) return results[w];
    add(reports[w], options_.shards, report);
  }
  return Done{};
}

void ActorEngine::spawn(caf::actor_system& system, Threads threads) {
  SOUK_ASSERT(!spawned());
  if (threads == Threads::store_and_keys) {
    store_ = system.spawn<caf::detached>(store_actor, &ports_.states, &counters_);
    keys_ = system.spawn<caf::detached>(keys_actor, &ports_.vault, &counters_);
    caf::anon_send(store_, StartMsg{});
    refold_ = system.spawn<caf::detached>(refold_actor, &ports_.logs, &counters_,
                                          &std::as_const(ending_));
    caf::anon_send(keys_, StartMsg{});
    caf::anon_send(refold_, StartMsg{});
  } else {
    store_ = system.spawn(store_actor, &ports_.states, &counters_);
    keys_ = system.spawn(keys_actor, &ports_.vault, &counters_);
    refold_ = system.spawn(refold_actor, &ports_.logs, &counters_, &std::as_const(ending_));
  }
  const HostPorts ports{.store = store_,
                        .keys = keys_,
                        .refold = refold_,
                        .logs = &logs_,
                        .payments = &ports_.payments,
                        .counters = &counters_,
                        .sinks = &sinks_,
                        .cluster = ports_.cluster};
  if (wake_driver_) {
    driven_ = std::make_unique<DrivenHost>(system, 0, cores_[0].get(), ports, wake_driver_);
    hosts_.push_back(driven_->actor());
  } else {
    for (std::uint32_t h = 0; h < options_.hosts; ++h)
      hosts_.push_back(system.spawn(host_actor, h, cores_[h].get(), ports));
  }
  logs_.start(hosts_);
  for (auto& h : hosts_) caf::anon_send(h, HostsMsg{hosts_});
  for (auto& h : hosts_) caf::anon_send(h, StartMsg{});
}

void ActorEngine::forget_actors() {
  logs_.stop();
  hosts_.clear();
  store_ = nullptr;
  keys_ = nullptr;
  refold_ = nullptr;
}

std::uint16_t ActorEngine::add_sink(ReplySink& sink) {
  SOUK_ASSERT(!spawned());  // the hosts read the list without a lock
  sinks_.push_back(&sink);
  return static_cast<std::uint16_t>(sinks_.size() - 1);
}

void ActorEngine::submit(std::vector<Request>&& requests) {
  if (requests.empty()) return;
  SOUK_ASSERT(spawned());
  if (hosts_.size() == 1) {
    caf::anon_send(hosts_[0],
                   RequestsMsg{std::make_shared<std::vector<Request>>(std::move(requests))});
    if (driven_ && driven_->driven_here()) driven_->take_turns();
    return;
  }
  std::vector<std::shared_ptr<std::vector<Request>>> by_host(hosts_.size());
  for (auto& r : requests) {
    const EntityKey target = r.bind ? EntityKey(*r.bind) : target_of(r.op);
    auto& list = by_host[host_of(shard_of(target, options_.shards), options_.hosts)];
    if (!list) list = std::make_shared<std::vector<Request>>();
    list->push_back(std::move(r));
  }
  for (std::size_t h = 0; h < by_host.size(); ++h)
    if (by_host[h]) caf::anon_send(hosts_[h], RequestsMsg{std::move(by_host[h])});
}

void ActorEngine::deliver(std::uint16_t sink, std::vector<Reply>&& replies) {
  sinks_[sink]->deliver(std::move(replies));
}

void ActorEngine::assign(std::vector<Assignment>&& assignments) {
  SOUK_ASSERT(spawned());
  const auto shared = std::make_shared<std::vector<Assignment>>(std::move(assignments));
  for (const auto& host : hosts_) caf::anon_send(host, AssignMsg{shared});
}

void ActorEngine::input(std::vector<Envelope>&& messages) {
  SOUK_ASSERT(spawned());
  std::vector<std::shared_ptr<std::vector<Envelope>>> by_host(hosts_.size());
  for (auto& message : messages) {
    const ShardId shard = shard_of(target_of(message.content), options_.shards);
    auto& list = by_host[host_of(shard, options_.hosts)];
    if (!list) list = std::make_shared<std::vector<Envelope>>();
    list->push_back(std::move(message));
  }
  for (std::size_t h = 0; h < by_host.size(); ++h)
    if (by_host[h]) caf::anon_send(hosts_[h], InputsMsg{std::move(by_host[h])});
}

std::string ActorEngine::trouble() const {
  if (counters_.suspended_shards.load(std::memory_order_relaxed) > 0)
    return "some shards take no commands: their log cannot be written";
  const std::int64_t before_ms = steady_ms() - stuck_ms;
  const auto stuck = [&](const ActorPulse& pulse) {
    const std::int64_t since_ms = pulse.since_ms();
    return since_ms > 0 && since_ms < before_ms;
  };
  if (stuck(counters_.journal_pulse)) return "the journal's disk does not answer";
  if (stuck(counters_.store_pulse)) return "the disk of states does not answer";
  if (stuck(counters_.keys_pulse)) return "the disk of keys does not answer";
  if (std::ranges::any_of(counters_.host_pulses, stuck)) return "a host makes no progress";
  return {};
}

void ActorEngine::payment_answered(const PaymentAnswer& answer) {
  SOUK_ASSERT(spawned());
  const std::uint32_t host = host_of(answer.order.shard(), options_.hosts);
  if (payments_[host]->put(answer) == PaymentInbox::First::yes)
    caf::anon_send(hosts_[host], PaymentsMsg{payments_[host]});
}

}  // namespace souk
