#pragma once
/// One life of a node: the daemon's own wiring (node/node.h) over simulated ports, with an engine
/// that runs one message of one actor at a time, as the seed picks.
#include <memory>
#include <vector>

#include "actors/host/stepped_engine.h"
#include "node/node.h"
#include "tests/simulation/copies.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/links.h"
#include "tests/simulation/outside.h"
#include "tests/simulation/world.h"

namespace souk::simulation {

/// All that outlives a node.
struct Surroundings {
  World& world;
  MachineClock& clock;
  WorldRandomness& randomness;
  SimJournal& journal;
  SimStateStore& states;
  SimVault& vault;
  SimProvider& provider;
  const Presenter& presenter;
  SimLinks& links;
};

class SimNode {
 public:
  /// `sink` is number 0. `recent_bytes`: of the log that readers find in memory.
  SimNode(const EngineOptions& options, std::size_t recent_bytes, const Surroundings& around,
          ReplySink& sink);
  /// A crash: whatever is under way ends here. Lifecycle: SimJournal and SimStateStore crash first.
  ~SimNode() { around_.links.connect(nullptr); }

  /// Recovers all shards and starts the actors.
  Status start();

  void submit(Request&& request);
  bool has_work() const { return engine_->ready() > 0; }
  /// One message of one actor.
  void work() { engine_->step(around_.world.below(engine_->ready())); }
  /// REQUIRES: `ms` of the world's time pass as well.
  void pass(std::int64_t ms) { engine_->pass(ms); }

  /// The log, for readers. REQUIRES: start() was ok. Lifecycle: as the node.
  LogSource source() { return node_->source(); }
  const std::vector<std::unique_ptr<HostCore>>& hosts() const { return engine_->hosts(); }
  /// No order or user is owed anything, and no shard waits for the disk.
  bool at_rest() const;

 private:
  const EngineOptions options_;
  const std::size_t recent_bytes_;
  const Surroundings around_;
  ReplySink& sink_;
  std::unique_ptr<Copies> copies_;
  std::unique_ptr<Node> node_;
  SteppedEngine* engine_ = nullptr;  // the node's
};

}  // namespace souk::simulation
