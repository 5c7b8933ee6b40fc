#pragma once
/// Where entity states go when they leave memory. The journal is the truth: a store that lost its
/// newest writes is merely older, as long as what it kept is a prefix of what was written.
///
/// A store that fails is opened anew, and may then lack the end of what it took. That raises its
/// *generation*: what a shard believed to be stored in an older one it does not know any more, and
/// asks the log (Replica::reopened).
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/batch.h"
#include "events/ids.h"
#include "events/result.h"

namespace souk {

/// Recovery of a shard starts here: every state up to `seq` is in the store.
struct Checkpoint {
  Seq seq = 0;
  std::uint64_t chain = 0;
  std::uint64_t epoch = 0;
  std::int64_t time_ms = 0;
  std::uint64_t incarnation = 0;
  Offset offset = 0;  // of the record that ends at `seq`; 0: not known, or there is none
  bool operator==(const Checkpoint&) const = default;
};

enum class Attention : std::uint8_t { idle, active };  // active: must be loaded at recovery

struct StateWrite {
  ShardId shard;
  EntityKey entity;
  Seq seq = 0;  // of the last event that it holds
  Attention attention = Attention::idle;
  std::string state;  // schema/states.capnp, packed by the shard
};

struct StoredState {
  Seq seq = 0;
  std::string state;
};

class StateStore {
 public:
  virtual ~StateStore() = default;

  /// Never falls. What was read and written in the same generation is a prefix of what was written,
  /// with nothing missing before it. Thread: any.
  virtual std::uint64_t generation() const = 0;

  /// Writes states and then, where given, the shard's checkpoint, in this order and atomically.
  /// Not synced: after a crash a prefix of all writes is there.
  /// `generation`: that of what the writer believes to be stored. In a later one nothing is
  /// written: a checkpoint would say that it is all there.
  /// Errors: unavailable, full, corrupt.
  /// Thread: any, one writer per shard.
  virtual Status put(const std::vector<StateWrite>& states,
                     const std::optional<std::pair<ShardId, Checkpoint>>& checkpoint,
                     std::uint64_t generation) = 0;

  enum class Where { memory, anywhere };
  struct Found {
    enum class Answer {
      found,
      absent,
      on_disk
    } answer = Answer::absent;  // on_disk: only for Where::memory
    StoredState state;
    std::uint64_t generation = 0;  // in which it was looked up
  };
  /// Where::memory never touches the disk.
  /// Thread: any.
  virtual Result<Found, Fault> get(ShardId shard, const EntityKey& entity, Where where) = 0;

  virtual Result<Checkpoint, Fault> checkpoint(ShardId shard) = 0;  // zeros where there is none
  virtual Result<std::vector<EntityKey>, Fault> active(ShardId shard) = 0;
  /// Every state of a shard, for `souk verify`.
  virtual Status each(ShardId shard,
                      const std::function<bool(const EntityKey&, StoredState)>& visit) = 0;
};

}  // namespace souk
