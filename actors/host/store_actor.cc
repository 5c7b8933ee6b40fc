#include <pthread.h>
#include <spdlog/spdlog.h>

#include "actors/host/actors.h"

namespace souk {

caf::behavior store_actor(caf::event_based_actor* self, StateStore* states, Vault* vault) {
  return {
      [=](const StartMsg&) { ::pthread_setname_np(::pthread_self(), "store"); },
      [=](const LoadMsg& m) {
        const caf::actor host = caf::actor_cast<caf::actor>(self->current_sender());
        for (const auto& [shard, entity] : m.wanted) {
          auto found = states->get(shard, entity, StateStore::Where::anywhere);
          auto answer = std::make_shared<Result<std::optional<StoredState>, Fault>>(
              std::optional<StoredState>{});
          if (!found.ok()) {
            spdlog::error("state cannot be loaded kind={} what=\"{}\"",
                          static_cast<int>(entity.kind()), found.error().what);
            *answer = found.error();
          } else if (found->answer == StateStore::Found::Answer::found) {
            *answer = std::optional<StoredState>(std::move(found->state));
          }
          caf::anon_send(host, LoadedMsg{shard, entity, std::move(answer)});
        }
      },
      [=](const FlushMsg& m) {
        const caf::actor host = caf::actor_cast<caf::actor>(self->current_sender());
        for (auto& flush : *m.flushes) {
          std::optional<std::pair<ShardId, Checkpoint>> mark;
          if (flush.checkpoint) mark.emplace(flush.shard, *flush.checkpoint);
          Status status = states->put(flush.states, mark);
          if (!status.ok())
            spdlog::warn("states cannot be written shard={} what=\"{}\"", flush.shard.value,
                         status.error().what);
          auto written = std::make_shared<std::vector<std::pair<EntityKey, Seq>>>();
          written->reserve(flush.states.size());
          for (const auto& w : flush.states) written->emplace_back(w.entity, w.seq);
          caf::anon_send(host, FlushedMsg{flush.shard, flush.round, std::move(written),
                                          flush.checkpoint, std::move(status)});
        }
      },
      [=](const DestroyKeysMsg& m) {
        const caf::actor host = caf::actor_cast<caf::actor>(self->current_sender());
        auto answers = std::make_shared<std::vector<ShardInput>>();
        for (const auto& [user, persons] : *m.keys) {
          bool all = true;
          for (const auto& person : persons) {
            if (auto s = vault->destroy(person); !s.ok()) {
              spdlog::warn("a personal key cannot be destroyed yet what=\"{}\"", s.error().what);
              all = false;
            }
          }
          if (all) answers->push_back(ProcessAnswer{user, KeysDestroyed{}});
        }
        caf::anon_send(host, InputsMsg{std::move(answers)});
      },
  };
}

}  // namespace souk
