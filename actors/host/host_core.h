#pragma once
/// Drives the shards of one host: routes inputs among them, runs each turn to its end, collects
/// what leaves. No CAF: the host actor (host_actor.cc) and the in-process driver of tests wrap it.
/// Thread: one.
#include <memory>
#include <vector>

#include "actors/shard/owner.h"
#include "events/fault_log.h"

namespace souk {

/// Of states, that a host encodes before it looks at its mailbox again; a fraction of a
/// millisecond. All shards' checkpoints fall due together, and commands would wait for all of
/// them if each shard wrote a good part of what it has.
inline constexpr std::size_t checkpoint_bytes_per_step = 32 * 1024;

/// A record that is under way for longer keeps no other waiting: its broker may be away.
inline constexpr std::int64_t slow_record_ms = 20;

/// Which host drives a shard.
inline std::uint32_t host_of(ShardId shard, std::uint32_t hosts) { return shard.value % hosts; }

/// Records of one shard that the log acknowledged, one behind the other.
struct LandedRange {
  ShardId shard;
  Offset first = 0;
  Offset last = 0;
};

/// Carries messages between shards where the host does not do it by itself: to other nodes, or in a
/// simulation that loses some. Thread: the host's.
class PeerLinks {
 public:
  virtual ~PeerLinks() = default;
  /// Whether it took `message`: it comes back through HostCore::input, once or more often, or never.
  virtual bool take(Envelope& message) = 0;
};

class HostCore {
 public:
  /// Makes the shards with `shard % options.hosts == index`; recover() each before the first turn.
  HostCore(std::uint32_t index, ShardContext context, ShardLogs& logs);
  HostCore(const HostCore&) = delete;

  std::vector<std::unique_ptr<Owner>>& shards() { return shards_; }
  /// First turn: claims the shards, but for a cluster's, which are assigned.
  void start();

  void input(Envelope&& message);
  void input(ShardInput&& content) { input(Envelope{{}, std::move(content)}); }
  /// From now on messages between shards go through `links`.
  void link(PeerLinks* links) { links_ = links; }
  /// All that one poll brought, in this order.
  void input(std::vector<Request>&& requests);
  void input(const std::vector<PaymentAnswer>& answers);
  void landed(const std::vector<LandedRange>& ranges);
  void doubted(const std::vector<ShardId>& shards);
  void claimed(ShardId shard, const ShardLog::Claimed& claimed);
  void given(ShardId shard, const ShardLog::Claimed& given);
  void followed(const std::vector<ShardId>& shards);
  void assign(const std::vector<Assignment>& assignments);
  /// `generation`: of the state store, when it answered.
  void loaded(ShardId shard, const EntityKey& entity,
              Result<std::optional<StoredState>, Fault>&& state, std::uint64_t generation);
  void folded_anew(ShardId shard, const EntityKey& entity, std::uint64_t number,
                   Result<std::optional<StoredState>, Fault>&& state);
  void flushed(ShardId shard, std::uint64_t round,
               const std::vector<std::pair<EntityKey, Seq>>& written,
               const std::optional<Checkpoint>& checkpoint, const Status& status,
               std::uint64_t generation);
  void tick();
  /// Writes some of what checkpoints have to write. Returns whether there is more to do at once.
  bool checkpoint_step();
  /// From now on every turn works towards a full checkpoint.
  void begin_stop() { stopping_ = true; }
  /// REQUIRES: begin_stop(). All that can be written is; or states cannot be written.
  bool stopped() const;

  /// Ends the turn: runs inputs between own shards until there are none, cuts all shards.
  void end_turn();

  // What leaves; the driver takes (moves) it after end_turn(). It appends the batches to the logs
  // in their order, and claims what output().claims names.
  ShardOutput& output() { return output_; }
  std::vector<Batch>& batches() { return batches_; }
  std::vector<std::vector<Envelope>>& remote() { return remote_; }  // by host

  struct Gauges {
    std::uint64_t entities = 0, memory_bytes = 0, evictions = 0, loads = 0, checkpoints = 0,
                  states_written = 0, works = 0, suspended = 0;
  };
  Gauges gauges() const;

 private:
  Owner& shard(ShardId id) { return *shards_[id.value / context_.options.hosts]; }
  bool owns(ShardId id) const {
    return id.value < context_.options.shards && host_of(id, context_.options.hosts) == index_;
  }
  void run_inputs();
  void cut();
  /// Of the inputs from `first` on; `each_entity(input, visit)`: what it is about.
  template <class Inputs, class Each>
  void prefetch(Inputs& inputs, std::size_t first, const Each& each_entity);
  bool knows_store(Owner& shard, std::uint64_t generation);
  void heed(const Owner& shard, const Status& read);

  const std::uint32_t index_;
  ShardContext context_;
  ShardOutput output_;
  Fifo<Envelope> running_;  // of output_.inputs, those under way
  struct Coming {
    Owner* owner = nullptr;
    Kind kind = Kind::none;
    std::uint64_t hash = 0;
  };
  std::vector<Coming> coming_;  // while they are prefetched
  std::vector<std::unique_ptr<Owner>> shards_;
  std::vector<Batch> batches_;
  std::vector<std::vector<Envelope>> remote_;
  PeerLinks* links_ = nullptr;
  bool stopping_ = false;
  bool gave_up_ = false;  // stopping, and states cannot be written
  FaultLog recoveries_fail_{"shard recovery failed", FaultLog::Severity::error};
  std::uint64_t ticks_ = 0;
  const std::size_t under_way_max_;  // ShardLogs::under_way_max
  std::size_t next_cut_ = 0;         // the shard whose turn it is
  std::size_t next_checkpoint_ = 0;  // the shard whose turn it is
};

}  // namespace souk
