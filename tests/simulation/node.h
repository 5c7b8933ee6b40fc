#pragma once
/// One life of a node: recovery, then the real hosts, journal actor and store actor on CAF's
/// testing scheduler, which runs one message of one actor at a time, as the seed picks.
#include <memory>
#include <vector>

#include "actors/host/engine.h"
#include "actors/host/host_core.h"
#include "tests/simulation/copies.h"
#include "tests/simulation/disk.h"
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
};

class Node {
 public:
  /// `sink` is number 0.
  Node(const EngineOptions& options, const Surroundings& around, ReplySink& sink, CommitFeed& feed);
  /// A crash: whatever is under way ends here. Lifecycle: SimJournal and SimStateStore crash first.
  ~Node();

  /// Recovers all shards and starts the actors.
  Status start();

  void submit(Request&& request);
  void payment_answered(const PaymentAnswer& answer);

  bool has_work() const;
  /// One message of one actor.
  void work();
  /// REQUIRES: `ms` of the world's time pass as well.
  void pass(std::int64_t ms);

  /// What the start found. REQUIRES: start() was ok.
  const RecoveryReport& recovery() const { return recovery_; }
  const std::vector<std::unique_ptr<HostCore>>& cores() const { return cores_; }
  /// No order or user is owed anything, and no shard waits for the disk.
  bool at_rest() const;

 private:
  struct Actors;
  const EngineOptions options_;
  const Surroundings around_;
  Freshness freshness_;
  Copies copies_;
  std::vector<ReplySink*> sinks_;
  CommitFeed& feed_;
  RecoveryReport recovery_;
  std::vector<std::unique_ptr<HostCore>> cores_;
  std::unique_ptr<Actors> actors_;
};

}  // namespace souk::simulation
