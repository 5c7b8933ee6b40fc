#pragma once
/// The simulated disk: a journal and a state store that survive a crash as a real disk would let
/// them. What was acknowledged stays; what was not may stay, go, or be torn.
#include <map>
#include <set>
#include <string>
#include <vector>

#include "actors/ports/state_store.h"
#include "events/journal/journal.h"
#include "tests/simulation/world.h"

namespace souk::simulation {

/// Frames of checksummed bytes, one a write. A write that a crash or a fault interrupts leaves some
/// of its bytes; whoever reads the log next cuts off a frame that is not whole.
class SimJournal final : public Journal {
 public:
  enum class Honesty {
    honest,
    acknowledges_early,  // a defect to be found: says done before the bytes are synced
  };
  SimJournal(World& world, Honesty honesty) : world_(world), honesty_(honesty) {}

  void write(const std::vector<Batch>& batches, WriteDone done) override;
  Status settle() override;
  Status scan(ShardId shard, Seq from, const Visit& visit) override;

  /// The power fails, or the process dies. Nobody hears of a write that was under way.
  void crash();
  /// A node uses it from now on.
  void start() { powered_ = true; }
  bool idle() const { return !writing_ && !unsettled_; }
  /// All records, for the judge: by shard and first sequence number.
  using Records = std::map<std::pair<std::uint16_t, Seq>, std::string>;
  const Records& records() const { return records_; }

 private:
  void complete(std::uint64_t write);
  void write_early(const std::vector<Batch>& batches, const WriteDone& done);
  void tear();
  void recover_log();

  World& world_;
  const Honesty honesty_;
  Records records_;
  bool powered_ = false;
  bool writing_ = false;
  bool unsettled_ = false;
  bool closed_ = false;  // a settle failed: nothing can be read
  std::int64_t full_until_ms_ = 0;
  std::uint64_t writes_ = 0;
  std::string tail_;  // bytes behind the last whole frame
  WriteDone done_;
  std::map<std::uint64_t, std::vector<Records::key_type>> unsynced_;  // acknowledged early
};

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
