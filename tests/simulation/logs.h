#pragma once
/// The simulated logs, a shard each: what is appended lands late; or it is in doubt, and then some of
/// it is there, some lands before the next claim, and some never does. What was acknowledged
/// survives a crash; what was not may.
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "events/journal/journal.h"
#include "events/journal/shard_log.h"
#include "tests/simulation/world.h"

namespace souk::simulation {

/// Which records of a shard count, by a rule of the simulator's own: those of the one who claimed
/// last, or to whom that one gave the shard, in a row.
struct Counting {
  std::uint64_t epoch = 0, incarnation = 0;
  Seq seq = 0;
  bool counts(std::string_view record);
};

class SimJournal final : public ShardLogs, public Journal {
 public:
  enum class Honesty {
    honest,
    // Defects to be found: says done before the bytes are synced; a claim after a doubt is granted
    // by what can be read, with nothing written: what was in doubt lands later all the same.
    acknowledges_early,
    decides_by_reading,
  };
  SimJournal(World& world, Honesty honesty);
  ~SimJournal() override;

  ShardLog& log(ShardId shard) override;
  void start(LogListener& listener) override { listener_ = &listener; }
  void flush() override;
  void stop() override { listener_ = nullptr; }
  Status read(ShardId shard, Offset from, const Visit& visit) override;
  Status scan(ShardId shard, Seq from, const Visit& visit) override;

  /// The power fails, or the process dies. Nobody hears of a write that was under way.
  void crash();
  /// A node uses it from now on.
  void power_on() { powered_ = true; }
  bool idle() const;
  /// All records, for the judge: by shard and offset.
  using Records = std::map<std::pair<std::uint16_t, Offset>, std::string>;
  const Records& records() const { return records_; }

 private:
  class Log;
  void forget_unsynced();

  World& world_;
  const Honesty honesty_;
  const bool alone_;  // else replies wait for records
  Records records_;
  std::map<std::uint16_t, std::unique_ptr<Log>> logs_;
  LogListener* listener_ = nullptr;
  bool powered_ = false;
  std::uint64_t lives_ = 0;  // what was under way in an earlier one does not come
  std::int64_t unreadable_until_ms_ = 0;
  std::uint64_t writes_ = 0;
  std::map<std::uint64_t, std::vector<Records::key_type>> unsynced_;  // acknowledged early
};

}  // namespace souk::simulation
