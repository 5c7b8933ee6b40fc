#pragma once
/// What the control log says: every node folds the same entries to the same ControlState. The
/// records and their fold are those of a shard's log (events/log_fold.h); a record of events has
/// entries in the place of transactions, one sequence number for each.
///
/// Only the controller appends, and nobody acts on an entry before the log has acknowledged it.
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cluster/placement.h"
#include "cluster/plan.h"
#include "events/result.h"
#include "events/time.h"

namespace souk::cluster {

inline constexpr std::size_t node_name_bytes_max = 64;
inline constexpr std::size_t zone_bytes_max = 64;
inline constexpr std::size_t address_bytes_max = 256;
inline constexpr std::size_t build_bytes_max = 64;
inline constexpr std::size_t who_bytes_max = 128;
inline constexpr std::size_t note_bytes_max = 1'024;
/// As a record of a log (limits::batch_events_max).
inline constexpr std::size_t entries_per_record_max = 4'096;

/// The name got its id. No other name ever gets it, nor this name another, unless it is forgotten.
struct NodeJoined {
  NodeId node;
  std::string name;
  std::string zone;
  std::uint32_t weight = 1;
  bool operator==(const NodeJoined&) const = default;
};
/// It is alive, in this incarnation. It was silent before, if only between two entries: a restart
/// is an absence however short (presence.h).
struct NodeHeard {
  NodeId node;
  std::uint64_t incarnation = 0;
  /// As configured. They count where they differ from what was configured last: so a changed
  /// configuration counts, and what an operator said since is not undone by a restart.
  std::string zone;
  std::uint32_t weight = 1;
  std::string http = {};  // host:port
  std::string peer = {};  // host:port
  std::string build = {};
  std::uint16_t protocol_min = 0;
  std::uint16_t protocol_max = 0;
  bool operator==(const NodeHeard&) const = default;
};
struct NodeSilent {
  NodeId node;
  bool operator==(const NodeSilent&) const = default;
};
/// Cordoned, drained, or to serve again.
struct NodeWished {
  NodeId node;
  Wish wish = Wish::serve;
  bool operator==(const NodeWished&) const = default;
};
struct NodeWeighted {
  NodeId node;
  std::uint32_t weight = 1;
  bool operator==(const NodeWeighted&) const = default;
};
struct NodeZoned {
  NodeId node;
  std::string zone;
  bool operator==(const NodeZoned&) const = default;
};
/// What it held counts as lost. Its name may join again, under another id.
struct NodeForgotten {
  NodeId node;
  bool operator==(const NodeForgotten&) const = default;
};
struct ShardPinned {
  ShardId shard;
  NodeId node;
  bool operator==(const ShardPinned&) const = default;
};
struct ShardUnpinned {
  ShardId shard;
  bool operator==(const ShardUnpinned&) const = default;
};
/// An operator asked for the shard to be owned by `node`. As a pin, but it ends by itself: when the
/// node leaves, is drained or forgotten, when the shard is pinned, unpinned or asked elsewhere, and
/// with the next ShardsRebalanced.
struct ShardAsked {
  ShardId shard;
  NodeId node;
  bool operator==(const ShardAsked&) const = default;
};
/// What was asked and what was cancelled is over: seats go by the rules alone, and the pins.
struct ShardsRebalanced {
  bool operator==(const ShardsRebalanced&) const = default;
};
struct Seats {
  ShardId shard;
  Wanted wanted;
  bool operator==(const Seats&) const = default;
};
/// What is wanted from now on, where it changed. The next `place` starts from it.
struct PlacementWanted {
  std::vector<Seats> changed;  // ascending by shard
  bool operator==(const PlacementWanted&) const = default;
};
struct MoveBegan {
  std::uint64_t number = 0;  // ascending
  Move move;                 // of wave 0
  bool operator==(const MoveBegan&) const = default;
};
enum class MoveOutcome : std::uint8_t { done, failed, cancelled };  // stored
struct MoveEnded {
  std::uint64_t number = 0;
  MoveOutcome outcome = MoveOutcome::done;
  /// Of the new owner in the shard's log; 0 where the owner did not change.
  std::uint64_t epoch = 0;
  bool operator==(const MoveEnded&) const = default;
};
/// The shard's log names another owner than the moves explain: one came too late, or a node
/// claimed by itself.
struct OwnerFound {
  ShardId shard;
  NodeId node;
  std::uint64_t epoch = 0;
  bool operator==(const OwnerFound&) const = default;
};
/// The node stands by, without a copy that ended so.
struct ReplicaWarm {
  ShardId shard;
  NodeId node;
  bool operator==(const ReplicaWarm&) const = default;
};
/// The node has no longer what it had, or begins anew.
struct ReplicaLost {
  ShardId shard;
  NodeId node;
  bool operator==(const ReplicaLost&) const = default;
};
/// Changes nothing: for the history.
struct OperatorNote {
  std::string text;
  bool operator==(const OperatorNote&) const = default;
};

using EntryBody = std::variant<NodeJoined, NodeHeard, NodeSilent, NodeWished, NodeWeighted,
                               NodeZoned, NodeForgotten, ShardPinned, ShardUnpinned, ShardAsked,
                               ShardsRebalanced, PlacementWanted, MoveBegan, MoveEnded, OwnerFound,
                               ReplicaWarm, ReplicaLost, OperatorNote>;

struct Entry {
  UnixMs at;        // by the controller's clock
  std::string who;  // an operator; empty: the controller by itself
  EntryBody body;
  bool operator==(const Entry&) const = default;
};

/// The payload of one record.
/// REQUIRES: 1 to entries_per_record_max entries.
std::string encode(const std::vector<Entry>& entries);

/// A kind of entry that this build does not know is left out where its writer marked it optional;
/// an OperatorNote is.
/// Errors: corrupt      it is none, or a value in it cannot be.
///         unsupported  a newer build wrote something that must not be left out.
Result<std::vector<Entry>, Fault> decode_entries(std::string_view payload);

}  // namespace souk::cluster
