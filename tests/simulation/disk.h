#pragma once
/// The simulated disk: a state store that survives a crash as a real disk would let it; the logs are
/// in logs.h.
#include <map>
#include <set>
#include <string>
#include <vector>

#include "actors/ports/state_store.h"
#include "tests/simulation/logs.h"

namespace souk::simulation {

/// A write-back store: what it got since its last sync survives a crash as a prefix.
class SimStateStore final : public StateStore {
 public:
  enum class Memory {
    sound,
    // Defects to be found: recovery finds states without their answers; what left an entity is lost.
    forgets_answers,
    forgets_what_left,
    hides_reopening,  // that it was opened anew, and lost the end of what it took
  };
  SimStateStore(World& world, Memory memory) : world_(world), memory_(memory) {}

  std::string name;  // for people

  std::uint64_t generation() const override {
    return memory_ == Memory::hides_reopening ? 0 : opened_;
  }
  Status put(const std::vector<StateWrite>& states,
             const std::optional<std::pair<ShardId, Checkpoint>>& checkpoint,
             std::uint64_t generation) override;
  Result<Found, Fault> get(ShardId shard, const EntityKey& entity, Where where) override;
  Result<Checkpoint, Fault> checkpoint(ShardId shard) override;
  Result<std::vector<EntityKey>, Fault> active(ShardId shard) override;
  Status each(ShardId shard,
              const std::function<bool(const EntityKey&, StoredState)>& visit) override;

  void crash();
  /// An empty disk takes its place. REQUIRES: after crash().
  void lose() { synced_ = current_ = {}; }
  /// A node recovers from now on, or has done so.
  enum class Phase { recovering, serving };
  void start(Phase phase) {
    powered_ = true;
    phase_ = phase;
  }

 private:
  struct Stored {
    Seq seq = 0;
    Attention attention = Attention::idle;
    std::string state;
  };
  struct Content {
    std::map<std::pair<std::uint16_t, EntityKey>, Stored> states;
    std::map<std::uint16_t, Checkpoint> checkpoints;
  };
  struct Put {
    std::vector<StateWrite> states;
    std::optional<std::pair<ShardId, Checkpoint>> checkpoint;
  };
  static void apply(Content& content, const Put& put);
  void keep_prefix();

  World& world_;
  const Memory memory_;
  Phase phase_ = Phase::serving;
  bool powered_ = false;
  bool failed_ = false;  // the next put opens it anew
  std::uint64_t opened_ = 1;
  Content synced_, current_;
  std::vector<Put> unsynced_;
  std::set<std::pair<std::uint16_t, EntityKey>> damaged_;  // until they are written again
};

}  // namespace souk::simulation
