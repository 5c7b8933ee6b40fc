#pragma once
/// Who shall own each shard, and who shall stand by. Pure: equal input gives equal output on every
/// node, whatever the order of nodes and pins.
///
///   W1  A shard has an owner if and only if a node is alive.
///   W2  Owner and standby are different nodes, in different zones where there are places in two.
///   W3  What can stay stays: `before`, else the present. What must move, and what is new, goes to
///       a node that has its data, else to the first choice by rendezvous.h that has room.
///   W4  Every place has from its share rounded down, less one, to its share rounded up, plus one,
///       of the owners. Of the standbys it is one more each way, where no zone (without zones: no
///       node) has near half of the weight; else they are where they can be. Who has more pins than
///       its share has just those. And balance rests while a node may be back soon: presence.h.
///   W5  So a join moves what the newcomer lacks to its share; a leave moves what the node had to
///       its standbys, and 30 s later what is too much for them, which is less than it had.
///   W6  A pin decides, if its node is alive, not drained, and a place or the owner already.
///   W7  A node that is no *place* gets nothing new and keeps what it has: it is cordoned, or was
///       away (presence.h). One that is drained gives all away. Where no node is a place, those
///       that were away are, then the cordoned, then the drained: an owner comes first (W1).
///
/// W3 rather than a function of the nodes alone: with a bound this tight, a choice without memory
/// moves seven times as much as the newcomer gets (docs/capacity.md).
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cluster/presence.h"
#include "events/ids.h"
#include "events/time.h"

namespace souk::cluster {

inline constexpr std::size_t shards_max = 65'536;  // what a ShardId can name
inline constexpr std::size_t nodes_max = 4'096;
/// A hand-off waits until the standby lags by less. Units: records.
inline constexpr std::uint64_t warm_lag_max = 1'000;

/// Given once to a node, never to another. 0: nobody.
struct NodeId {
  std::uint32_t value = 0;
  auto operator<=>(const NodeId&) const = default;
};
inline constexpr NodeId nobody{};

enum class Wish : std::uint8_t { serve, cordoned, drained };

struct Node {
  NodeId id;
  std::string name;
  std::string zone;          // empty is a zone as any other
  std::uint32_t weight = 1;  // 1 to weight_max
  Wish wish = Wish::serve;
  Presence presence;
  bool operator==(const Node&) const = default;
};

enum class Holds : std::uint8_t { copying, standby, owner };

struct Replica {
  NodeId node;
  Holds holds = Holds::copying;
  std::uint64_t lag = 0;  // of a standby. Units: records
  bool operator==(const Replica&) const = default;
};

/// What is there of a shard. The owner has a replica, too.
struct ShardState {
  NodeId owner;
  std::vector<Replica> replicas;  // ascending by node; who is not here holds nothing
  bool operator==(const ShardState&) const = default;
};

/// Why a seat is where it is. Stored: never renumber. Urgency goes by this order.
enum class Reason : std::uint8_t {
  stayed,  // it was there when the placement began
  first_placed,
  node_gone,
  drain,
  pin,
  asked,  // an operator moved it there
  zone,
  node_joined,
  balance,
};
inline constexpr Reason reason_last = Reason::balance;

struct Pin {
  ShardId shard;
  NodeId node;
  Reason why = Reason::pin;  // or asked
  bool operator==(const Pin&) const = default;
};

struct Cluster {
  UnixMs now;
  std::vector<Node> nodes;          // any order; up to nodes_max
  std::vector<Pin> pins;            // any order; one for a shard
  std::vector<ShardState> present;  // one for each shard; up to shards_max
  bool operator==(const Cluster&) const = default;
};

struct Wanted {
  NodeId owner;
  NodeId standby;
  Reason owner_why = Reason::stayed;
  Reason standby_why = Reason::stayed;
  bool operator==(const Wanted&) const = default;
};
/// One for each shard.
using Placement = std::vector<Wanted>;

/// What is wanted now. `before` is what was wanted last: it keeps moves that have begun on their
/// way. Without it (a controller that has just started) the present takes its place.
/// REQUIRES: `before` is empty or has one for each shard; ids of nodes differ.
Placement place(const Cluster& cluster, const Placement& before = {});

/// When `place` may answer otherwise although nothing happens: somebody becomes a place, or has
/// been away for too long. None: never.
std::optional<UnixMs> place_again_at(const Cluster& cluster);

/// Nothing where there is no such node.
const Node* find_node(const Cluster& cluster, NodeId id);
const Replica* find_replica(const ShardState& shard, NodeId id);

}  // namespace souk::cluster
