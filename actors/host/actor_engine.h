#pragma once
/// What an engine on real threads and one that a simulation steps have in common: the shards of all
/// hosts, their recovery, and the actors around them.
#include "actors/host/driven_host.h"

namespace souk {

/// Lifecycle: as Engine. A subclass owns the actor system and ends the actors before it goes.
class ActorEngine : public Engine {
 public:
  ActorEngine(const EngineOptions& options, EnginePorts ports);

  std::uint16_t add_sink(ReplySink& sink) override;
  void submit(std::vector<Request>&& requests) override;
  void deliver(std::uint16_t sink, std::vector<Reply>&& replies) override;
  void assign(std::vector<Assignment>&& assignments) override;
  void input(std::vector<Envelope>&& messages) override;
  void payment_answered(const PaymentAnswer& answer) override;
  const EngineCounters& counters() const override { return counters_; }
  std::string trouble() const override;
  std::uint32_t shards() const override { return options_.shards; }

 protected:
  /// Which actors have a thread of their own.
  enum class Threads : std::uint8_t { store_and_keys, none };

  /// In `workers` threads, or in this one where there is one. Adds to `report`.
  Status recover_shards(std::size_t workers, RecoveryReport& report);
  void spawn(caf::actor_system& system, Threads threads);
  const std::vector<std::unique_ptr<HostCore>>& cores() const { return cores_; }
  bool spawned() const { return !hosts_.empty(); }
  /// From here on nothing is sent to the actors, also not by the logs.
  void forget_actors();

  const EngineOptions options_;
  const EnginePorts ports_;
  EngineCounters counters_;
  std::vector<ReplySink*> sinks_;
  std::atomic<bool> ending_{false};  // what takes long may end at once
  caf::actor store_, keys_, refold_;
  HostLogs logs_;
  std::vector<caf::actor> hosts_;
  std::function<void()> wake_driver_;   // none: CAF's workers drive the hosts
  std::unique_ptr<DrivenHost> driven_;  // the one host, where another thread drives it

 private:
  ActorEngine(const EngineOptions& options, EnginePorts ports, std::uint64_t incarnation);

  std::vector<std::unique_ptr<HostCore>> cores_;
  std::vector<std::shared_ptr<PaymentInbox>> payments_;  // by host
};

}  // namespace souk
