#pragma once
/// The actors of one node, to be spawned by the engine (host on a worker, store and keys detached)
/// or by the simulation (all on the testing scheduler).
///
///   I/O thread --RequestsMsg--> host --> HostLogs (the logs' own thread) --LandedMsg--> host -->
///                                 |                                                   ReplySink
///                                 |--LoadMsg, FlushMsg--> store --> host
///                                 |--RefoldMsg--> refold --> host
///                                 |--DestroyKeysMsg--> keys --> host
#include <functional>
#include <vector>

#include "actors/host/host_logs.h"
#include "actors/host/messages.h"

namespace souk {

/// A host counts ticks in its own time: one every tick_ms.
inline constexpr std::int64_t tick_ms = 20;

/// Tells the hosts who the hosts are; before all else.
struct HostsMsg {
  std::vector<caf::actor> hosts;
};

/// Loads and writes states.
caf::behavior store_actor(caf::event_based_actor* self, StateStore* states,
                          EngineCounters* counters);
/// Destroys the keys of erased persons, all of a message in one write; apart from the store, so
/// that no load waits for it.
caf::behavior keys_actor(caf::event_based_actor* self, Vault* vault, EngineCounters* counters);

/// Folds damaged states anew from the log, all of one shard in one scan; apart from the store, so
/// that no load waits for it.
struct RefoldActorState {
  std::vector<std::pair<caf::actor, ShardOutput::Refold>> pending;  // host, what it asked for
  const std::atomic<bool>* ending = nullptr;
  bool step_sent = false;
  const char* name = "refold";
};
/// `ending`: set: a scan that is under way ends.
caf::behavior refold_actor(caf::stateful_actor<RefoldActorState>* self, ShardLogs* logs,
                           EngineCounters* counters, const std::atomic<bool>* ending);

struct HostPorts {
  caf::actor store, keys, refold;
  HostLogs* logs = nullptr;
  PaymentProvider* payments = nullptr;
  EngineCounters* counters = nullptr;
  const std::vector<ReplySink*>* sinks = nullptr;
  ClusterWatch* cluster = nullptr;  // none: there is none
};
struct HostActorState {
  HostCore* core = nullptr;
  HostPorts ports;
  std::vector<caf::actor> hosts;
  HostCore::Gauges shown;
  std::shared_ptr<std::promise<void>> stopped;
  bool step_sent = false;  // of a checkpoint, to itself: behind the commands that wait
  bool ending = false;
  bool on_workers = false;  // of CAF, whichever is free
  const char* name = "host";
};
caf::behavior host_actor(caf::stateful_actor<HostActorState>* self, std::uint32_t index,
                         HostCore* core, HostPorts ports);
/// The same, driven by another thread than CAF's (driven_host.h); `state` outlives it.
caf::behavior driven_host_actor(caf::actor_companion* self, std::uint32_t index,
                                HostActorState& state);

}  // namespace souk
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(souk::HostsMsg)
