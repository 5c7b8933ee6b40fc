#pragma once
/// How far a read model has come, and what it could not take: the runner's checkpoint.
#include <map>
#include <string>
#include <vector>

#include "events/event.h"
#include "events/ids.h"
#include "events/log_fold.h"
#include "events/result.h"

namespace souk {

/// An entity with an event that the model cannot take: the model shows it as it was before, and its
/// later events wait.
struct Stale {
  ShardId shard;
  Seq seq = 0;
  EntityKey entity;
  std::string why;
  UnixMs at;
  std::uint64_t held = 0;
};

struct Ledger {
  /// Where the model stands in the log of a shard. One that a build before the fold's state was
  /// stored has left knows no chain, and takes it from the next record.
  using Shard = FoldState;
  std::uint32_t version = 0;  // of the model's code
  Id128 directory;            // whose log it folds; zero: not said (format 1, tests)
  std::vector<Shard> shards;
  std::map<EntityKey, Stale> stale;

  Ledger() = default;
  Ledger(std::uint32_t model_version, std::uint32_t shard_count)
      : version(model_version), shards(shard_count) {}
};

std::string encode(const Ledger& ledger);
/// Errors: corrupt.
Result<Ledger, Fault> decode_ledger(std::string_view bytes);

}  // namespace souk
