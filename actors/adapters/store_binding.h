#pragma once
/// How a store beside the journal is bound to its directory: events/journal/anchor.h tells what
/// each knows of the other. What does not fit is refused in words, before anything is written.
#include <atomic>
#include <cstdint>

#include "events/ids.h"
#include "events/journal/anchor.h"

namespace souk {

struct StoreBinding {
  /// A store that no directory has bound yet is new, from before there were anchors, or not ours.
  enum class Unbound : std::uint8_t { adopt, adopt_if_empty, refuse };

  Id128 directory;
  std::uint32_t shards = 0;
  Unbound unbound = Unbound::adopt;
  std::uint64_t writes_min = 0;  // the journal knows that the store has so many synced writes
  std::uint64_t journal = 0;     // so many appends has the journal
  /// Counts of the running process; outlive the store. None: the store is bound, not counted.
  StoreMarks* marks = nullptr;
  std::atomic<std::uint64_t> StoreMarks::*own = nullptr;
};

}  // namespace souk
