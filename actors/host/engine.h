#pragma once
/// The engine as the edge sees it: requests in, answers out. Inside: CAF hosts that drive shards;
/// see ARCHITECTURE.md.
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/ports/payment_provider.h"
#include "actors/ports/randomness.h"
#include "actors/ports/request.h"
#include "actors/ports/state_store.h"
#include "actors/ports/vault.h"
#include "events/freshness.h"
#include "events/journal/commit_feed.h"
#include "events/journal/shard_log.h"
#include "events/time.h"

namespace souk {

inline constexpr std::size_t hosts_max = 64;

struct EngineOptions {
  std::uint32_t shards = 64;
  std::uint32_t hosts = 1;                    // CAF workers that drive shards; up to hosts_max
  std::size_t memory_bytes = 1ull << 30;      // budget of entity states in memory
  std::int64_t hold_ms = 15 * 60 * 1000;      // a reservation without a claim
  std::int64_t payment_retry_ms = 1'000;      // an unanswered call is repeated after this
  std::int64_t payment_deadline_ms = 10'000;  // then the order is rejected: payment_unavailable
  std::int64_t wait_final_ms = 5'000;
  std::uint64_t checkpoint_events = 4'096;  // per shard: events after which states are written
  std::int64_t checkpoint_ms = 10'000;      // or this long, where anything is dirty
  /// Other nodes share the log: a shard is claimed when it is assigned, else it is followed.
  bool clustered = false;
  std::uint64_t incarnation = 0;  // under which it claims; 0: a random one
  /// In a cluster: a shard is recovered once its log is followed or claimed, not at the start. Until
  /// then this node's copy of the log may end before what its states know.
  bool recovers_late = false;
};

struct Envelope;

/// What a node shall do with a shard of the cluster.
struct Assignment {
  enum class What : std::uint8_t {
    away,       // as follow; forgets about it once nothing of its own is in doubt
    follow,     // claims it no more; who owns it goes on until another does
    expect,     // its owner will hand it over: commands wait for that
    own,        // claims it
    hand_over,  // who owns it gives it to `to_incarnation`
  };
  ShardId shard;
  What what = What::away;
  std::uint64_t to_incarnation = 0;  // of hand_over, with the number of its node
  std::uint64_t to_node = 0;
};

/// The cluster around an engine. Thread: any; must not block.
class ClusterWatch {
 public:
  virtual ~ClusterWatch() = default;
  /// The log of a shard that others own goes on at `place`, which says who.
  virtual void followed(ShardId shard, const FoldState& place) = 0;
  /// The log of a shard that this node owns goes on at `next`.
  virtual void wrote(ShardId shard, Offset next) = 0;
  /// This node owns the shard from now on.
  virtual void owned(ShardId shard, std::uint64_t epoch) = 0;
  /// What came for shards that this node does not own; nothing was done about it.
  virtual void strayed(std::vector<Envelope>&& strays) = 0;
};

struct EnginePorts {
  ShardLogs& logs;
  StateStore& states;
  Vault& vault;
  PaymentProvider& payments;
  Clock& clock;
  Randomness& randomness;
  const Presenter& presenter;
  CommitFeed* feed = nullptr;       // none: nobody reads
  Freshness* freshness = nullptr;   // none: nobody keeps copies
  ClusterWatch* cluster = nullptr;  // REQUIRES: with EngineOptions::clustered
  /// Asked now and then while it recovers; true: that ends as `unavailable`. Thread: any.
  std::function<bool()> give_up = {};
};

struct RecoveryReport {
  std::uint64_t events = 0;    // replayed
  std::uint64_t entities = 0;  // loaded
  std::uint64_t ignored_records = 0;
  UnixMs last_event_at;        // the epoch: there are none
  std::vector<Seq> last_seqs;  // by shard: what is durable
};

/// Since when an actor handles the message that it has; so that one that hangs can be told from one
/// that has nothing to do. Thread: any; written by the actor.
class ActorPulse {
 public:
  void begin(std::int64_t now_ms) { since_ms_.store(now_ms, std::memory_order_relaxed); }
  void end() { since_ms_.store(0, std::memory_order_relaxed); }
  /// Since when it is busy, on the steady clock; 0: it waits for messages.
  std::int64_t since_ms() const { return since_ms_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> since_ms_{0};
};

/// Readable from any thread; written by the hosts and the logs' thread.
struct EngineCounters {
  std::atomic<std::uint64_t> commits{0}, committed_batches{0}, committed_events{0},
      commit_failures{0}, commit_ns_total{0}, commit_bytes{0}, entities_in_memory{0},
      memory_bytes{0}, evictions{0}, loads{0}, checkpoints{0}, states_written{0}, queue_depth{0},
      pending_orders{0}, suspended_shards{0}, states_folded_anew{0};
  /// Of each actor; see ActorPulse.
  std::array<ActorPulse, hosts_max> host_pulses;
  ActorPulse journal_pulse, store_pulse, keys_pulse;
  /// Commits by duration: up to 2^i microseconds.
  std::array<std::atomic<std::uint64_t>, 24> commit_us_log2{};
  std::array<std::atomic<std::uint64_t>, 16> batch_events_log2{};
};

/// Lifecycle: recover -> wire (sinks, feed, clock, provider) -> run -> stop. Nothing happens, and
/// no
///            port is called, between recover and run; so what is wired then is seen by all.
///            Destroyed without stop it ends as a crash would: what was acknowledged is durable.
class Engine {
 public:
  /// Recovers every shard (checkpoint + tail). Errors: corrupt, unsupported, unavailable.
  static Result<std::unique_ptr<Engine>, Fault> recover(const EngineOptions& options,
                                                        EnginePorts ports, RecoveryReport& report);
  virtual ~Engine() = default;
  /// REQUIRES: before run. Returns the number for ReplyTo::sink.
  virtual std::uint16_t add_sink(ReplySink& sink) = 0;
  /// Takes up what orders and users are owed, and serves. Once.
  virtual void run() = 0;
  /// The one host runs on a thread that is there anyway: it calls take_turns() after each `wake`,
  /// until stop. REQUIRES: before run; options.hosts == 1. `wake`: on any thread; cheap.
  virtual void be_driven(std::function<void()> wake) = 0;
  /// Handles all that was sent to the host. REQUIRES: be_driven, run; one thread at a time.
  virtual void take_turns() = 0;
  /// Takes all that one poll brought; each request with ReplyTo::client gets exactly one reply.
  /// REQUIRES: after run, before stop. Thread: any; never blocks. The caller bounds what is in
  /// flight.
  virtual void submit(std::vector<Request>&& requests) = 0;
  /// Answers that another node gave, to the sink that add_sink named. Thread: any.
  virtual void deliver(std::uint16_t sink, std::vector<Reply>&& replies) = 0;
  /// In a cluster. REQUIRES: as submit. Thread: any.
  virtual void assign(std::vector<Assignment>&& assignments) = 0;
  /// What shards of other nodes sent to shards of this one. REQUIRES: as submit. Thread: any.
  virtual void input(std::vector<Envelope>&& messages) = 0;
  /// Where the answers of the payment provider go. REQUIRES: as submit. Thread: any.
  virtual void payment_answered(const PaymentAnswer& answer) = 0;
  /// Writes a full checkpoint and ends the actors; answers of what is in flight are sent before.
  /// Does nothing where it does not run.
  virtual void stop() = 0;
  virtual const EngineCounters& counters() const = 0;
  /// Why customers would be served badly now, in words for an operator; empty: they would not.
  /// Thread: any.
  virtual std::string trouble() const = 0;
  virtual std::uint32_t shards() const = 0;
};

}  // namespace souk
