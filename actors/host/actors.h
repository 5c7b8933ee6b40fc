#pragma once
/// The actors of one node, to be spawned by the engine (host on a worker, journal and store
/// detached) or by the simulation (all on the testing scheduler).
///
///   I/O thread --RequestsMsg--> host --AppendMsg--> journal --CommittedMsg--> host --> ReplySink
///                                 |--LoadMsg, FlushMsg--> store --> host
///                                 |--RefoldMsg--> refold --> host
///                                 |--DestroyKeysMsg--> keys --> host
#include <functional>
#include <map>
#include <vector>

#include "actors/host/messages.h"
#include "events/journal/commit_feed.h"

namespace souk {

/// A host counts ticks in its own time: one every tick_ms.
inline constexpr std::int64_t tick_ms = 20;
inline constexpr std::int64_t settle_retry_ms = 200;

struct JournalActorState {
  std::vector<caf::actor> hosts;
  Journal* journal = nullptr;
  EngineCounters* counters = nullptr;
  CommitFeed* feed = nullptr;                            // none: nobody reads
  std::vector<std::pair<std::uint32_t, Batch>> pending;  // host, batch
  std::vector<Batch> writing;
  std::vector<std::uint32_t> writing_hosts;
  std::map<std::uint16_t, Seq> unknown;  // by shard: the first event of which writes failed
  std::vector<std::uint64_t> epoch_min;  // by shard: what is older was told that it failed
  bool flush_sent = false;
  bool busy = false;
  bool failing = false;
  bool inside_write = false;
  const char* name = "journal";
};
/// Group commit: everything that is pending goes into one synced write; what arrives meanwhile
/// waits for the next. The first append sends `flush` to itself, which lands behind all that is
/// queued.
caf::behavior journal_actor(caf::stateful_actor<JournalActorState>* self, Journal* journal,
                            EngineCounters* counters, CommitFeed* feed, std::uint32_t shards);
/// Tells the journal and the hosts who the hosts are; before all else.
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
caf::behavior refold_actor(caf::stateful_actor<RefoldActorState>* self, Journal* journal,
                           EngineCounters* counters, const std::atomic<bool>* ending);

struct HostPorts {
  caf::actor journal, store, keys, refold;
  PaymentProvider* payments = nullptr;
  EngineCounters* counters = nullptr;
  const std::vector<ReplySink*>* sinks = nullptr;
};
struct HostActorState {
  HostCore* core = nullptr;
  HostPorts ports;
  std::vector<caf::actor> hosts;
  HostCore::Gauges shown;
  std::shared_ptr<std::promise<void>> stopped;
  bool step_sent = false;  // of a checkpoint, to itself: behind the commands that wait
  bool ending = false;
  const char* name = "host";
};
caf::behavior host_actor(caf::stateful_actor<HostActorState>* self, std::uint32_t index,
                         HostCore* core, HostPorts ports);

}  // namespace souk
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(souk::HostsMsg)
