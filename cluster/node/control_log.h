#pragma once
/// The control log of a cluster, as a node has it: it folds what is in it, and appends while the
/// node is the controller. Records, claims and acknowledgements are those of a shard's log
/// (events/shared_log/shared_logs.h); the controller is its owner.
///
/// Lifecycle: open, catch_up, { step, claim, append }*.
/// Thread: one.
#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "cluster/control/control_state.h"
#include "cluster/node/clocks.h"
#include "cluster/node/memory_copy.h"
#include "events/shared_log/shared_logs.h"

namespace souk::cluster {

class ControlLog final : private LogListener {
 public:
  struct Options {
    std::uint32_t shards = 0;       // of the cluster
    std::uint64_t incarnation = 0;  // of this node
    std::uint64_t genesis = 0;
    std::function<SteadyMs()> steady = &steady_now;
  };
  /// `broker`: of the control topic; outlives it. Errors: as SharedLogs::open.
  static Result<std::unique_ptr<ControlLog>, Fault> open(LogBroker& broker, const Options& options);
  ~ControlLog();

  /// Reads all that is there. Errors: as SharedLogs::catch_up; unsupported: a newer build wrote what
  /// must not be passed over.
  Status catch_up(const SharedLogs::Told& told);
  /// One poll of the broker, and what follows from it; returns after `patience` at most.
  void step(std::chrono::milliseconds patience);

  const ControlState& state() const { return state_; }
  /// Of the newest claim of the log: whose reign it is.
  std::uint64_t epoch() const { return epoch_; }
  /// This node is the controller, as far as it knows.
  bool controls() const { return controls_; }
  /// Asks to be. REQUIRES: !controls().
  void claim();
  bool claims() const { return claims_; }
  /// What was appended is not acknowledged yet.
  bool appending() const { return !pending_.empty(); }
  /// In one record. Folded when it is acknowledged. REQUIRES: controls(), !appending().
  void append(std::vector<Entry>&& entries);
  /// Why the log can be read no further; nothing: it can.
  std::optional<Fault> halted() const;

 private:
  ControlLog(const Options& options, LogBroker& broker);

  void landed(ShardId shard, const std::vector<LogAck>& acks) override;
  void doubted(ShardId shard, const Fault& why) override;
  void found(std::vector<Batch>&& records) override;
  void followed(ShardId shard, const FoldState& place) override;
  void take_over(const ShardLog::Claimed& claimed);

  const Options options_;
  PlacesOnly copy_;
  std::unique_ptr<SharedLogs> logs_;
  ControlState state_;
  bool controls_ = false;
  bool claims_ = false;
  std::uint64_t epoch_ = 0;
  Seq seq_ = 0;
  std::uint64_t chain_ = 0;
  std::vector<Entry> pending_;
  std::optional<Fault> unreadable_;
};

}  // namespace souk::cluster
