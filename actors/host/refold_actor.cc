#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>

#include "actors/host/actors.h"
#include "actors/host/fail_stop.h"
#include "events/fault_log.h"

namespace souk {
namespace {

FaultLog refolded("damaged states were folded anew from the journal");  // a damaged block has many
FaultLog refolds_fail("a damaged state cannot be folded anew", FaultLog::Severity::error);

/// All that waits for one shard, in one scan of its log.
void fold_next(RefoldActorState& s, ShardLogs& logs, EngineCounters& counters) {
  const ShardId shard = s.pending.front().second.shard;
  std::vector<LostState> lost;
  std::vector<std::pair<caf::actor, std::uint64_t>> who;
  std::erase_if(s.pending, [&](auto& one) {
    auto& [host, refold] = one;
    if (refold.shard != shard) return false;
    lost.push_back(std::move(refold.lost));
    who.emplace_back(std::move(host), refold.number);
    return true;
  });
  const std::int64_t began_ms = steady_ms();
  const LogTail tail = [&](Offset from, const Journal::Visit& visit) {
    return logs.log(shard).tail(from, visit);
  };
  auto states = fold_anew(tail, shard, lost, *s.ending);
  if (states.ok()) {
    refolds_fail.passed();
    counters.states_folded_anew.fetch_add(lost.size(), std::memory_order_relaxed);
    refolded.failed(fmt::format("shard={} states={} in_ms={}", shard.value, lost.size(),
                                steady_ms() - began_ms));
  } else {
    refolds_fail.failed(
        fmt::format("shard={} what=\"{}\"", shard.value, one_line(states.error().what)));
  }
  for (std::size_t i = 0; i < lost.size(); ++i) {
    using State = Result<std::optional<StoredState>, Fault>;
    auto state = std::make_shared<State>(states.ok() ? State(std::move((*states)[i]))
                                                     : State(states.error()));
    caf::anon_send(who[i].first,
                   RefoldedMsg{shard, lost[i].entity, who[i].second, std::move(state)});
  }
}

}  // namespace

caf::behavior refold_actor(caf::stateful_actor<RefoldActorState>* self, ShardLogs* logs,
                           EngineCounters* counters, const std::atomic<bool>* ending) {
  fail_stop(self, "refold");
  self->state.ending = ending;
  return {
      [=](const StartMsg&) { ::pthread_setname_np(::pthread_self(), "refold"); },
      [=](const RefoldMsg& m) {
        auto& s = self->state;
        const caf::actor host = caf::actor_cast<caf::actor>(self->current_sender());
        for (auto& one : *m.refolds) s.pending.emplace_back(host, std::move(one));
        // Behind what is queued: that may be of the same shard.
        if (!std::exchange(s.step_sent, true)) self->send(self, RefoldStepMsg{});
      },
      [=](const RefoldStepMsg&) {
        auto& s = self->state;
        s.step_sent = false;
        fold_next(s, *logs, *counters);
        if (s.pending.empty()) return;
        s.step_sent = true;
        self->send(self, RefoldStepMsg{});
      },
  };
}

}  // namespace souk
