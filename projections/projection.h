#pragma once
/// The port of a read model: a fold of the log with a checkpoint of its own.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/event.h"
#include "events/ids.h"
#include "events/result.h"

namespace souk {

/// One event and where it stands in the log.
struct EventAt {
  ShardId shard;
  Seq seq = 0;
  const Transaction& transaction;  // cause, time, key, and the events that came with it
  std::size_t index = 0;           // in the transaction
  const Event& event() const { return transaction.events[index]; }
  /// When the log took it (not the business's time, where an event has one).
  UnixMs at() const { return transaction.at; }
};

/// An event that a model cannot take.
struct Poison {
  std::string why;
};

/// A read model. Every shard's events come in the order of the shard; shards interleave at will, so
/// a model must come out the same for every interleaving.
///
/// Thread: open, apply and commit on one thread of the runner; queries (each model's own functions)
///         from any thread at the same time, and they see what was committed, or sooner.
class Projection {
 public:
  virtual ~Projection() = default;

  /// Folds one event. Where it cannot, it has changed nothing.
  /// The runner never gives the same event twice after what `commit` made durable.
  virtual Result<Done, Poison> apply(const EventAt& event) = 0;

  /// Whether one commit should not take more than was applied by now: the runner then commits at
  /// the end of the batch. A commit cannot be interrupted, and whoever pauses or ends the runner
  /// waits for it.
  virtual bool wants_commit() const { return false; }

  /// Makes all that was applied since the last commit visible, and durable in one atomic write
  /// together with `checkpoint`, which is the runner's and opaque. Survives a kill of the process;
  /// after a power cut an older commit may stand, whole.
  /// Errors: unavailable, full, corrupt. The runner then opens the model again and goes on from the
  ///         checkpoint that it finds.
  virtual Status commit(std::string_view checkpoint) = 0;

  /// What the last durable commit was given; empty for a new model.
  virtual std::string checkpoint() const = 0;

  /// A digest of the whole content, equal for equal folds whatever the interleaving and however
  /// often it was committed or opened again: `souk verify` compares with it. May take
  /// minutes. Thread: as apply.
  virtual Result<std::uint64_t, Fault> digest() = 0;

  /// What a query failed with: where that is damage, the runner builds the model anew. Thread: any.
  void note_damage(const Fault& fault) const {
    if (fault.kind != Fault::Kind::corrupt) return;
    const std::lock_guard lock(damage_mutex_);
    if (!damage_) damage_ = fault;
  }
  std::optional<Fault> damage() const {
    const std::lock_guard lock(damage_mutex_);
    return damage_;
  }

 private:
  mutable std::mutex damage_mutex_;
  mutable std::optional<Fault> damage_;
};

/// What the runner needs to know to run a model; one line each in the daemon.
struct ProjectionKind {
  std::string name;           // a folder's name, a label in metrics
  std::uint32_t version = 1;  // of its code: another one on disk is rebuilt
  /// Opens or creates it in a folder of its own. Errors: corrupt, unsupported (another version of
  /// the code made it): then it is rebuilt; full, unavailable.
  std::function<Result<std::shared_ptr<Projection>, Fault>(const std::filesystem::path&)> open;
};

}  // namespace souk
