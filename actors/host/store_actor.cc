#include <fmt/format.h>
#include <pthread.h>

#include "actors/host/actors.h"
#include "actors/host/fail_stop.h"
#include "events/fault_log.h"

namespace souk {
namespace {

/// A shard whose states could not be written hears of it after this, and tries again.
constexpr std::chrono::milliseconds flush_retry{500};

FaultLog loads_fail("state cannot be loaded", FaultLog::Severity::error);
FaultLog writes_fail("states cannot be written");

}  // namespace

caf::behavior store_actor(caf::event_based_actor* self, StateStore* states,
                          EngineCounters* counters) {
  fail_stop(self, "store");
  return {
      [=](const StartMsg&) { ::pthread_setname_np(::pthread_self(), "store"); },
      [=](const LoadMsg& m) {
        const Busy busy(counters->store_pulse);
        const caf::actor host = caf::actor_cast<caf::actor>(self->current_sender());
        for (const auto& [shard, entity] : m.wanted) {
          auto found = states->get(shard, entity, StateStore::Where::anywhere);
          auto answer = std::make_shared<Result<std::optional<StoredState>, Fault>>(
              std::optional<StoredState>{});
          if (!found.ok()) {
            loads_fail.failed(fmt::format("kind={} what=\"{}\"", static_cast<int>(entity.kind()),
                                          one_line(found.error().what)));
            *answer = found.error();
          } else if (found->answer == StateStore::Found::Answer::found) {
            *answer = std::optional<StoredState>(std::move(found->state));
          }
          if (found.ok()) loads_fail.passed();
          // One that failed may have been asked in an older generation than this.
          const auto generation = found.ok() ? found->generation : states->generation();
          caf::anon_send(host, LoadedMsg{shard, entity, std::move(answer), generation});
        }
      },
      [=](const FlushMsg& m) {
        const Busy busy(counters->store_pulse);
        const caf::actor host = caf::actor_cast<caf::actor>(self->current_sender());
        for (auto& flush : *m.flushes) {
          std::optional<std::pair<ShardId, Checkpoint>> mark;
          if (flush.checkpoint) mark.emplace(flush.shard, *flush.checkpoint);
          Status status = states->put(flush.states, mark, flush.generation);
          const auto generation = states->generation();
          if (status.ok())
            writes_fail.passed();
          else if (generation == flush.generation)
            writes_fail.failed(fmt::format("shard={} what=\"{}\"", flush.shard.value,
                                           one_line(status.error().what)));
          auto written = std::make_shared<std::vector<std::pair<EntityKey, Seq>>>();
          written->reserve(flush.states.size());
          for (const auto& w : flush.states) written->emplace_back(w.entity, w.seq);
          const bool ok = status.ok();
          FlushedMsg done{flush.shard,      flush.round,       std::move(written),
                          flush.checkpoint, std::move(status), generation};
          // The shard tries again when it hears of it: not as fast as it can.
          if (ok)
            caf::anon_send(host, std::move(done));
          else
            self->delayed_send(host, flush_retry, std::move(done));
        }
      },
  };
}

}  // namespace souk
