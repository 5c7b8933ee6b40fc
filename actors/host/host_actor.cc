#include <pthread.h>

#include <chrono>

#include "actors/host/actors.h"
#include "actors/host/fail_stop.h"
#include "events/thread_slice.h"

namespace souk {
namespace {

void deliver_replies(HostActorState& s) {
  auto& replies = s.core->output().replies;
  if (replies.empty()) return;
  std::vector<std::vector<Reply>> by_sink(s.ports.sinks->size());
  for (auto& [sink, reply] : replies) by_sink[sink].push_back(std::move(reply));
  replies.clear();
  for (std::size_t i = 0; i < by_sink.size(); ++i)
    if (!by_sink[i].empty()) (*s.ports.sinks)[i]->deliver(std::move(by_sink[i]));
}

/// Whichever worker is free drives a host, so each is set up at its own first turn.
void prepare_worker() {
  thread_local const bool prepared = [] {
    ::pthread_setname_np(::pthread_self(), "host");  // it drives hosts and nothing else
    short_time_slice();
    return true;
  }();
  (void)prepared;
}

/// Ends the turn and sends what leaves: one message to each who is concerned.
template <class Self>
void end_turn(Self* self, HostActorState& s) {
  HostCore& core = *s.core;
  core.end_turn();
  s.ports.logs->append(core.batches());
  deliver_replies(s);
  ShardOutput& out = core.output();
  s.ports.logs->follow(out.follows);
  s.ports.logs->claim(out.claims);
  if (s.ports.cluster) {
    for (const auto& one : out.owned) s.ports.cluster->owned(one.shard, one.epoch);
    out.owned.clear();
    if (!out.strays.empty()) s.ports.cluster->strayed(std::exchange(out.strays, {}));
  }
  if (!out.payments.empty()) {
    s.ports.payments->call(std::move(out.payments));
    out.payments.clear();
  }
  if (!out.loads.empty()) {
    self->send(s.ports.store, LoadMsg{std::move(out.loads)});
    out.loads.clear();
  }
  if (!out.refolds.empty()) {
    auto refolds = std::make_shared<std::vector<ShardOutput::Refold>>(std::move(out.refolds));
    out.refolds.clear();
    self->send(s.ports.refold, RefoldMsg{std::move(refolds)});
  }
  if (!out.flushes.empty()) {
    auto flushes = std::make_shared<std::vector<ShardOutput::Flush>>(std::move(out.flushes));
    out.flushes.clear();
    self->send(s.ports.store, FlushMsg{std::move(flushes)});
  }
  if (!out.keys_to_destroy.empty()) {
    using Keys = std::vector<std::pair<EntityKey, std::vector<PersonId>>>;
    auto keys = std::make_shared<Keys>(std::move(out.keys_to_destroy));
    out.keys_to_destroy.clear();
    self->send(s.ports.keys, DestroyKeysMsg{std::move(keys)});
  }
  for (std::size_t h = 0; h < core.remote().size(); ++h) {
    if (core.remote()[h].empty()) continue;
    auto inputs = std::make_shared<std::vector<Envelope>>();
    inputs->swap(core.remote()[h]);
    self->send(s.hosts[h], InputsMsg{std::move(inputs)});
  }
  if (s.stopped && core.stopped()) {
    s.stopped->set_value();
    s.stopped.reset();
  }
}

template <class Self>
void go_on_with_checkpoint(Self* self, HostActorState& s) {
  if (s.step_sent || s.ending || !s.core->checkpoint_step()) return;
  s.step_sent = true;
  self->send(self, CheckpointStepMsg{});
}

void show(HostActorState& s) {
  const HostCore::Gauges g = s.core->gauges();
  EngineCounters& c = *s.ports.counters;
  constexpr auto relaxed = std::memory_order_relaxed;
  const auto move = [](std::atomic<std::uint64_t>& counter, std::uint64_t to, std::uint64_t from) {
    counter.fetch_add(to - from, relaxed);  // unsigned wrap-around is a subtraction
  };
  move(c.entities_in_memory, g.entities, s.shown.entities);
  move(c.memory_bytes, g.memory_bytes, s.shown.memory_bytes);
  move(c.evictions, g.evictions, s.shown.evictions);
  move(c.loads, g.loads, s.shown.loads);
  move(c.checkpoints, g.checkpoints, s.shown.checkpoints);
  move(c.states_written, g.states_written, s.shown.states_written);
  move(c.pending_orders, g.works, s.shown.works);
  move(c.suspended_shards, g.suspended, s.shown.suspended);
  s.shown = g;
}

/// One turn: `feed` hands something to the shards, then what leaves is sent.
template <class Self>
caf::behavior host_behavior(Self* self, std::uint32_t index, HostActorState& state) {
  fail_stop(self, "host");
  auto* const s = &state;
  const auto tick_again = [self] {
    self->delayed_send(self, std::chrono::milliseconds(tick_ms), TickMsg{});
  };
  const auto turn = [=](const auto& feed) {
    if (s->on_workers) prepare_worker();
    const Busy busy(s->ports.counters->host_pulses[index]);
    feed(*s->core);
    end_turn(self, *s);
  };
  return {
      [=](HostsMsg& m) { s->hosts = std::move(m.hosts); },
      [=](const StartMsg&) {
        turn([](HostCore& c) { c.start(); });
        tick_again();
      },
      [=](RequestsMsg& m) { turn([&](HostCore& c) { c.input(std::move(*m.requests)); }); },
      [=](InputsMsg& m) {
        turn([&](HostCore& c) {
          for (auto& i : *m.inputs) c.input(std::move(i));
        });
      },
      [=](PaymentsMsg& m) { turn([&](HostCore& c) { c.input(m.inbox->take()); }); },
      [=](const LandedMsg& m) { turn([&](HostCore& c) { c.landed(*m.ranges); }); },
      [=](const DoubtedMsg& m) { turn([&](HostCore& c) { c.doubted(*m.shards); }); },
      [=](const ClaimedMsg& m) {
        turn([&](HostCore& c) {
          for (const auto& [shard, claimed] : *m.claims) c.claimed(shard, claimed);
        });
      },
      [=](const GivenMsg& m) {
        turn([&](HostCore& c) {
          for (const auto& [shard, given] : *m.given) c.given(shard, given);
        });
      },
      [=](const FollowedMsg& m) { turn([&](HostCore& c) { c.followed(*m.shards); }); },
      [=](const AssignMsg& m) { turn([&](HostCore& c) { c.assign(*m.assignments); }); },
      [=](LoadedMsg& m) {
        turn([&](HostCore& c) { c.loaded(m.shard, m.entity, std::move(*m.state), m.generation); });
      },
      [=](RefoldedMsg& m) {
        turn([&](HostCore& c) { c.folded_anew(m.shard, m.entity, m.number, std::move(*m.state)); });
      },
      [=](const FlushedMsg& m) {
        turn([&](HostCore& c) {
          c.flushed(m.shard, m.round, *m.written, m.checkpoint, m.status, m.generation);
          go_on_with_checkpoint(self, *s);
        });
      },
      [=](const TickMsg&) {
        turn([&](HostCore& c) {
          c.tick();
          go_on_with_checkpoint(self, *s);
        });
        show(*s);
        if (!s->ending) tick_again();
      },
      [=](const CheckpointStepMsg&) {
        s->step_sent = false;
        turn([&](HostCore&) { go_on_with_checkpoint(self, *s); });
      },
      [=](StopMsg& m) {
        s->stopped = std::move(m.stopped);
        turn([](HostCore& c) { c.begin_stop(); });
      },
      [=](const EndMsg&) {
        s->ending = true;
        self->quit();
      },
  };
}

}  // namespace

caf::behavior host_actor(caf::stateful_actor<HostActorState>* self, std::uint32_t index,
                         HostCore* core, HostPorts ports) {
  self->state.core = core;
  self->state.ports = std::move(ports);
  self->state.on_workers = true;
  return host_behavior(self, index, self->state);
}

caf::behavior driven_host_actor(caf::actor_companion* self, std::uint32_t index,
                                HostActorState& state) {
  return host_behavior(self, index, state);
}

}  // namespace souk
