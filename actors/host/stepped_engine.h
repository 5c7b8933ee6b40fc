#pragma once
/// The engine without threads: one message of one actor at a time, as the caller picks. For
/// simulations, which then run the same shards, actors and wiring as the daemon.
#include "actors/host/engine.h"
#include "actors/host/host_core.h"

namespace souk {

/// Lifecycle: as Engine; `stop` ends it as a crash would.
/// Thread: one.
class SteppedEngine : public Engine {
 public:
  /// Recovers one shard after the other. Errors: as Engine::recover.
  static Result<std::unique_ptr<Engine>, Fault> recover(const EngineOptions& options,
                                                        EnginePorts ports, RecoveryReport& report);
  /// How many actors have a message to handle.
  virtual std::size_t ready() const = 0;
  /// REQUIRES: pick < ready().
  virtual void step(std::size_t pick) = 0;
  /// The actors' timers move on.
  virtual void pass(std::int64_t ms) = 0;
  virtual const std::vector<std::unique_ptr<HostCore>>& hosts() const = 0;
};

}  // namespace souk
