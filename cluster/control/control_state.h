#pragma once
/// The fold of the control log: who is in the cluster, who owns and shall own which shard, what
/// moves, and what happened. The same entries give the same state on every node.
///
///   C1  An entry that `check` refuses changes nothing, wherever it is folded.
///   C2  Owners change by MoveEnded and OwnerFound alone, in ascending epochs of the shard's log:
///       what a reader of that log reports late counts for nothing.
///   C3  A shard has at most one move at a time that changes its owner.
///   C4  Time never goes back: an entry of a clock that is behind has the time of the one before.
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/control/entries.h"

namespace souk::cluster {

/// Entries that are kept for operators.
inline constexpr std::size_t history_max = 10'000;

/// What is known of a node beside what placement needs.
struct NodeDetails {
  std::uint64_t incarnation = 0;  // of the newest NodeHeard; 0: never heard
  std::string configured_zone;
  std::uint32_t configured_weight = 1;
  std::string http, peer, build;
  std::uint16_t protocol_min = 0, protocol_max = 0;
  bool operator==(const NodeDetails&) const = default;
};

/// Who owns a shard, as its log says.
struct LogOwner {
  NodeId node;  // nobody: not known
  std::uint64_t incarnation = 0;
  std::uint64_t epoch = 0;
};

struct MoveUnderWay {
  Move move;
  std::string who;  // empty: the controller
  UnixMs began;
  bool operator==(const MoveUnderWay&) const = default;
};

struct HistoryLine {
  UnixMs at;
  std::string who;   // `controller`, or the operator
  std::string what;  // `b is silent`
};

/// Lifecycle: `shards` of the cluster, then `fold` of each entry that the log acknowledged.
/// Thread: one at a time.
class ControlState {
 public:
  /// REQUIRES: at most shards_max.
  explicit ControlState(std::size_t shards);

  /// Why the entry may not be appended now, in words. Nothing: it may.
  std::optional<std::string> check(const Entry& entry) const;
  /// False: it was skipped (C1).
  bool fold(const Entry& entry);

  /// As placement needs it: pins with what was asked for; `now` is the newest entry's time, lags
  /// are 0. Nodes ascend by id.
  const Cluster& cluster() const { return cluster_; }
  const Placement& wanted() const { return wanted_; }
  /// By number.
  const std::map<std::uint64_t, MoveUnderWay>& moves() const { return moves_; }
  /// The number of the newest move that ever began; 0: none.
  std::uint64_t last_move() const { return last_move_; }
  /// The highest id that was ever given.
  NodeId last_node() const { return last_node_; }

  NodeId id_of(std::string_view name) const;  // nobody: no such node
  const Node* node(NodeId id) const;
  const NodeDetails* details(NodeId id) const;
  /// Also of a node that was forgotten; `nobody`; `node 7` of one that never was.
  std::string name_of(NodeId id) const;

  /// Who shall own the shard now. While it is handed over: who gives it.
  NodeId appointed(ShardId shard) const;
  /// Whether the node, in this incarnation, claims the shard: it is appointed, and `owner`, as the
  /// log says, is another or a former incarnation. What it has handed over it does not take back.
  bool shall_claim(ShardId shard, NodeId node, std::uint64_t incarnation,
                   const LogOwner& owner) const;
  std::uint64_t owner_epoch(ShardId shard) const { return epochs_[shard.value]; }
  const MoveUnderWay* owner_move(ShardId shard) const;
  bool under_way(const Move& move) const;  // whatever its reason and wave
  /// A move of it was cancelled: but for the loss of its owner it stays as it is, until it is asked
  /// for, pinned or unpinned, a node that has it is drained, or ShardsRebalanced.
  bool held(ShardId shard) const { return held_.contains(shard); }
  /// Who asked for the shard to be where it is, or pinned it; empty: nobody.
  std::string_view asked_by(ShardId shard) const;

  /// Grows when `plan` may answer otherwise, and when `place` may (time apart).
  std::uint64_t version() const { return version_; }
  std::uint64_t placement_version() const { return placement_version_; }

  /// The newest `count` lines, oldest first.
  std::vector<HistoryLine> history(std::size_t count = history_max) const;

  bool operator==(const ControlState&) const = default;

 private:
  friend struct Checker;
  friend struct Folder;
  struct Kept {
    Entry entry;        // of a placement without its seats
    std::size_t seats;  // of a placement
    Move move;          // that ended
    bool operator==(const Kept&) const = default;
  };
  struct Asked {
    NodeId node;
    std::string who;
    Reason why = Reason::pin;
    bool operator==(const Asked&) const = default;
  };

  Node* find(NodeId id);
  ShardState& present(ShardId shard) { return cluster_.present[shard.value]; }
  void keep(const Entry& entry);
  std::string words_of(const Kept& kept) const;
  void renew_pins();
  void forget_asked_of(NodeId node);
  void end(const Move& move, MoveOutcome outcome, std::uint64_t epoch);
  void set_owner(const Move& move, std::uint64_t epoch);

  Cluster cluster_;
  Placement wanted_;
  std::vector<std::uint64_t> epochs_;  // by shard
  std::map<std::string, NodeId, std::less<>> by_name_;
  std::map<NodeId, NodeDetails> details_;
  std::map<NodeId, std::string> names_;  // of all that ever were
  std::map<ShardId, Asked> asked_;       // and pinned
  std::set<ShardId> held_;
  std::map<std::uint64_t, MoveUnderWay> moves_;
  std::map<ShardId, std::vector<std::uint64_t>> moves_of_;
  std::uint64_t last_move_ = 0;
  NodeId last_node_;
  std::uint64_t version_ = 1;
  std::uint64_t placement_version_ = 1;
  std::deque<Kept> history_;
};

/// Whether the move changes the shard's owner.
inline bool changes_owner(Move::Kind kind) {
  return kind == Move::Kind::promote || kind == Move::Kind::start || kind == Move::Kind::hand_over;
}

}  // namespace souk::cluster
