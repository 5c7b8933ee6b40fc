#pragma once
/// One node: the engine, the end of its log in memory, and the read models that follow it, wired in
/// one place for soukd, `souk bench` and the simulation. Each brings its own ports.
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "actors/host/engine.h"
#include "actors/ports/node_clock.h"
#include "events/freshness.h"
#include "projections/runner/projection_set.h"
#include "projections/runner/recent_log.h"

namespace souk {

/// What a node stands on. All of it outlives the node.
struct NodePorts {
  ShardLogs& logs;   // what the shards write
  Journal& journal;  // and others read
  StateStore& states;
  Vault& vault;
  PaymentProvider& payments;
  NodeClock& clock;
  Randomness& randomness;
  const Presenter& presenter;
  Id128 directory{};                // whose log it is; zero: of none
  ClusterWatch* cluster = nullptr;  // EnginePorts::cluster
};

struct NodeOptions {
  EngineOptions engine;
  /// Of encoded batches that read models have not had yet.
  std::size_t recent_bytes_max = 32 << 20;
  std::vector<ProjectionKind> read_models;  // none: who reads does so by source()
  std::filesystem::path projections;        // their folder
  /// The newest event of the log and the clock may lie so far apart at the start; 0: any. A clock
  /// that is years ahead would stamp all that happens from then on, for good.
  std::int64_t clock_jump_ms_max = 0;
  /// See EnginePorts::give_up.
  std::function<bool()> give_up = {};
  using MakeEngine = std::function<Result<std::unique_ptr<Engine>, Fault>(
      const EngineOptions&, EnginePorts, RecoveryReport&)>;
  MakeEngine make_engine = &Engine::recover;
};

/// Lifecycle: recover -> wire (engine().add_sink, whatever else reads or serves) -> run -> stop.
///            Nothing runs before `run`: no event is stamped, no provider called, no read model
///            fed. Destroyed without stop it ends as a crash would, in the right order.
/// Thread: one, but for what the parts say of themselves.
class Node {
 public:
  /// Recovers every shard, then sets the clock and the end of the log by what was found.
  /// Errors: corrupt, unsupported, unavailable; mismatch: the clock, beyond clock_jump_ms_max.
  static Result<std::unique_ptr<Node>, Fault> recover(NodeOptions options, NodePorts ports);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// Read models, engine, provider: each finds running what it needs. Once.
  void run();
  /// Nothing is asked or fed any more; a full checkpoint. REQUIRES: nobody submits any more.
  void stop();

  Engine& engine() { return *engine_; }
  ProjectionSet& projections() { return projections_; }
  Freshness& freshness() { return freshness_; }
  /// The log, for who reads it. Lifecycle: as the node.
  LogSource source() { return {ports_.journal, recent_, ports_.directory}; }
  const RecoveryReport& recovery() const { return recovery_; }

 private:
  Node(NodeOptions&& options, NodePorts ports);
  void stop_readers_and_provider();

  NodePorts ports_;
  RecoveryReport recovery_;
  RecentLog recent_;
  Freshness freshness_;
  ProjectionSet projections_;
  std::unique_ptr<Engine> engine_;  // ends first: it feeds what stands above
  bool running_ = false;
};

}  // namespace souk
