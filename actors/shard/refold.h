#pragma once
/// States that the store has damaged, folded anew from the log of their shard.
#include <atomic>
#include <optional>
#include <vector>

#include "actors/ports/state_store.h"
#include "events/journal/folded_log.h"

namespace souk {

/// `owners`: what an answer may be kept beside (answers.h); its key does not tell.
struct LostState {
  EntityKey entity;
  std::vector<EntityKey> owners;
};

/// The states of all of `lost` at the end of the log, in their order; nothing where no event is
/// about one. Scans the shard's log from its first event, once: a million events take about a
/// second.
/// `ending`: set: it ends as `unavailable`.
/// Errors: of the log; corrupt: that is damaged too.
/// Thread: any.
Result<std::vector<std::optional<StoredState>>, Fault> fold_anew(const LogTail& tail, ShardId shard,
                                                                 const std::vector<LostState>& lost,
                                                                 const std::atomic<bool>& ending);

}  // namespace souk
