#pragma once
/// The bytes of all states, as a node has them and as a log makes them.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "actors/host/host_core.h"
#include "tests/simulation/disk.h"

namespace souk::simulation {

using States = std::map<EntityKey, std::string>;

/// What is in memory.
States states_of(const std::vector<std::unique_ptr<HostCore>>& cores);
/// All that a node has: in memory, and else in its store.
States all_states(States states, StateStore& store, std::uint32_t shards);
/// As each shard does at the next answer of a store that was opened anew.
void catch_up_with_store(World& world, const std::vector<std::unique_ptr<HostCore>>& cores,
                         const StateStore& store);

/// What a recovery stands on.
struct Recovers {
  World& world;
  const EngineOptions& options;
  ShardLogs& logs;
  Clock& clock;
  Randomness& randomness;
  const Presenter& presenter;
};
/// By the log, from the checkpoints of `store` on. Empty, where it could not be recovered.
States recovered(const Recovers& by, StateStore& store);

/// P6. `what` has what `found` says.
void compare(World& world, const std::string& what, const States& expected, const States& found);

/// Logs that are only read.
class ReadLogs final : public ShardLogs {
 public:
  ReadLogs(const SimJournal::Records& records, std::uint32_t shards);
  ~ReadLogs() override;
  ShardLog& log(ShardId shard) override;
  void start(LogListener&) override {}
  void flush() override {}
  void stop() override {}

 private:
  class Log;
  std::vector<std::unique_ptr<Log>> logs_;
};

}  // namespace souk::simulation
