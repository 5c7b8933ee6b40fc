#pragma once
/// What the controller appends to the control log next. Pure: what was heard, what the shards' logs
/// say, and time are given.
///
///   D1  Nothing is decided by who does not hear itself (heartbeat.h, H1).
///   D2  First what is true (who is silent, which moves ended, who owns), then what is wanted, then
///       the moves that may begin; each on a state that has all before it. So a node that restarts
///       loses its shards to their standbys although it is back at once: it counts as silent, the
///       promotions begin, and only then it is heard.
///   D3  A move ends when its deed is seen: a copy when the node reports a standby that is warm, a
///       change of owner when the shard's log names the node in its present incarnation, a drop when
///       the node does not report the shard any more. One whose node is silent, or that gets nowhere
///       for 5 s, failed; what is left of it is planned anew.
///   D4  A shard whose move was cancelled moves no more, until it is asked for (ControlState::held);
///       but for the loss of its owner.
///   D5  `move SHARD --to NODE` is kept as a pin that ends by itself (ShardAsked), since no placement
///       would leave a shard for long where it breaks the balance.
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "cluster/control/control_state.h"
#include "cluster/control/heartbeat.h"

namespace souk::cluster {

/// Without a sign of progress a move failed. Units: milliseconds.
inline constexpr std::int64_t move_stalled_ms = 5'000;
/// Moves wait for standbys to become warm, of which the log says nothing: so often they are planned
/// anew meanwhile. Units: milliseconds.
inline constexpr std::int64_t plan_again_ms = 1'000;

struct Observed {
  const HeardTable& heard;
  std::span<const LogOwner> owners;  // one for each shard
  SteadyMs steady;                   // of the clock that `heard` is by
  UnixMs now;
};

/// The cluster at `now`, with the lags that the heartbeats tell. A standby that nothing was heard of
/// lags by all there is.
Cluster present_view(const ControlState& state, const HeardTable& heard, UnixMs now);

/// Lifecycle: one for each reign; it knows only since when it saw what.
/// Thread: one at a time.
class Controller {
 public:
  /// What is to be appended now, in one record; nothing most of the time, and then at little cost:
  /// place() and plan() run when something has changed, or when time alone changes it.
  /// REQUIRES: all that it decided before is folded into `state`; one log owner for each shard.
  ///           Called again after each fold, until it answers nothing; and with each heartbeat.
  /// Limits: at most entries_per_record_max; the rest comes with the next call.
  std::vector<Entry> decide(const ControlState& state, const Observed& seen);

  /// How often place() and plan() ran.
  std::uint64_t placed() const { return placed_; }
  std::uint64_t planned() const { return planned_; }

 private:
  struct Decision;
  struct Progress {
    std::uint64_t value = 0;
    SteadyMs since;
  };
  std::optional<MoveEnded> ended(const Decision& d, std::uint64_t number,
                                 const MoveUnderWay& under_way);
  bool stalled(std::uint64_t number, std::uint64_t progress, SteadyMs now);
  void presence(Decision& d) const;
  void ends(Decision& d);
  void owners(Decision& d) const;
  void replicas(Decision& d) const;
  void placement(Decision& d);
  void moves(Decision& d);
  void returns(Decision& d) const;

  std::map<std::uint64_t, Progress> progress_;  // by move
  std::uint64_t placed_version_ = 0;
  std::optional<UnixMs> place_again_at_;
  std::uint64_t planned_version_ = 0;
  std::optional<SteadyMs> plan_again_at_;
  /// ControlState::version and HeardTable::holdings_version that had nothing new to say.
  std::pair<std::uint64_t, std::uint64_t> compared_{};
  std::uint64_t placed_ = 0, planned_ = 0;
};

}  // namespace souk::cluster
