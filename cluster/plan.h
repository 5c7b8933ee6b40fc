#pragma once
/// The way from the present to what is wanted, as moves. Pure, as placement.h.
///
///   L1  Each move leaves every shard its owner, and a warm standby where it had one and one is
///       wanted.
///   L2  A shard whose owner died is promoted at once: to a standby that lives, the wanted owner or
///       the least behind; where none lives, the wanted owner begins from the log.
///   L3  A hand-off goes to a standby that is warm (lag below warm_lag_max), and waits until who
///       stands by afterwards is warm, too.
///   L4  What is not wanted is dropped when owner and standby are as wanted.
///   L5  A node takes part in at most moves_per_node_max copies and hand-offs at once, whether it
///       gives or takes; promotions wait for nothing.
///
/// Whoever carries it out begins the moves of wave 0, and plans anew when something has changed.
/// The later waves say what will follow, for operators.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/placement.h"

namespace souk::cluster {

inline constexpr std::uint32_t moves_per_node_max = 8;

struct Move {
  enum class Kind : std::uint8_t {
    promote,    // `to`, a standby, owns in the place of `from`, which is dead
    start,      // `to` owns, and reads the log from its beginning: nobody who lives has anything
    copy,       // `to` begins to copy from the owner
    hand_over,  // `from` owns, and lets `to`, a warm standby, own
    drop,       // `from` forgets what it has
  };
  Kind kind = Kind::copy;
  ShardId shard;
  NodeId from;
  NodeId to;
  Reason reason = Reason::stayed;
  std::uint32_t wave = 0;  // 0: may begin now
  bool operator==(const Move&) const = default;
};

/// All that is left to do, in an order that may be followed. Empty: everything is as wanted, or
/// waits for what is being copied, catches up or returns (`explain` says so).
std::vector<Move> plan(const Cluster& cluster, const Placement& wanted);

/// The shard after `move` was done. A copy has begun then, and is not a standby yet.
ShardState after(ShardState shard, const Move& move);

std::string_view name_of(Move::Kind kind);
/// `node b is gone`, as a reason in words.
std::string_view words_of(Reason reason);
/// `shard 7: hand over from a to b (pinned), when 2 waves are done`.
std::string words_of(const Cluster& cluster, const Move& move);

/// Why the shard is where it is, and what it waits for; a sentence a line.
/// REQUIRES: `moves` is the plan for `wanted`.
std::string explain(const Cluster& cluster, const Placement& wanted, const std::vector<Move>& moves,
                    ShardId shard);

}  // namespace souk::cluster
