#pragma once
/// What nodes say of themselves four times a second, and when they take or lose a shard; and who was
/// heard when. Pure: time is given.
///
///   H1  Who does not hear itself judges nobody: its own heartbeats go the same way as the others',
///       so where they do not come back, it is the listener that is cut off.
///   H2  What is heard counts from when the listener began to hear itself: a silence that it slept
///       through, or was cut off for, is nobody's.
#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/placement.h"
#include "events/batch.h"
#include "events/result.h"

namespace souk::cluster {

/// A steady clock's: of one process, compared with no other's. Units: milliseconds.
struct SteadyMs {
  std::int64_t value = 0;
  auto operator<=>(const SteadyMs&) const = default;
  SteadyMs plus_ms(std::int64_t ms) const { return {value + ms}; }
};

inline constexpr std::int64_t heartbeat_every_ms = 250;
/// Between two heartbeats of a node that has taken or lost a shard meanwhile.
inline constexpr std::int64_t news_apart_ms = 20;
/// So long after its last heartbeat a node counts as silent. Units: milliseconds.
inline constexpr std::int64_t silent_after_ms = 1'500;
/// Longer between two heartbeats of its own, and a node has not heard itself meanwhile.
inline constexpr std::int64_t own_gap_ms_max = 750;
/// Between the claims of two nodes that miss the controller.
inline constexpr std::int64_t claim_apart_ms = 300;
/// Encoded. 65,536 shards are less than 1 MB, a broker's usual limit.
inline constexpr std::size_t heartbeat_bytes_max = 1'000'000;

/// What a node has of a shard.
struct Holding {
  ShardId shard;
  Holds holds = Holds::copying;
  /// The next offset that it folds. While it copies: what grows as it gets on.
  Offset next = 0;
  /// Of an owner: in which it owns. 0: not said.
  std::uint64_t epoch = 0;
  bool operator==(const Holding&) const = default;
};

struct Heartbeat {
  std::string name;
  std::uint64_t incarnation = 0;  // of one start; that of a later one is higher
  std::uint64_t sequence = 0;     // counts the heartbeats of the incarnation
  std::string zone;
  std::uint32_t weight = 1;
  std::string http, peer, build;
  std::uint16_t protocol_min = 0, protocol_max = 0;
  std::uint64_t controller_epoch = 0;  // 0: it is not the controller
  /// It was asked to end, and gives away what it owns: as if it were silent.
  bool ending = false;
  /// It follows only what it holds, and others answer what read models are asked.
  bool no_read_models = false;
  /// All that it has, from its first heartbeat on: what is missing counts as lost. Ascending.
  std::vector<Holding> holdings;
  bool operator==(const Heartbeat&) const = default;
};
const Holding* find_holding(const Heartbeat& heartbeat, ShardId shard);

/// REQUIRES: the name has 1 to node_name_bytes_max bytes, the other texts at most theirs
/// (entries.h); a weight of 1 to weight_max; at most shards_max holdings, ascending by shard.
std::string encode(const Heartbeat& heartbeat);
/// Errors: corrupt; unsupported (a newer build's value). What `encode` requires holds.
Result<Heartbeat, Fault> decode_heartbeat(std::string_view bytes);

/// The newest heartbeat of each name.
/// Limits: 2 * nodes_max names; one more takes the place of the one heard longest ago.
class HeardTable {
 public:
  /// `self` and `incarnation`: of the node that listens.
  HeardTable(std::string self, std::uint64_t incarnation);

  struct Row {
    Heartbeat newest;
    SteadyMs at;  // when it came
  };
  /// In the order of the liveness log. A higher incarnation replaces the one before it; a lower one
  /// (its heartbeat came late, or another process has its name) only one that is silent.
  void take(Heartbeat heartbeat, SteadyMs now);
  /// The control log has a new controller. It has until its first heartbeat as long as others.
  void saw_claim(std::uint64_t epoch, SteadyMs now);

  /// H1: its own heartbeats came for `silent_after_ms` without a break.
  bool judges(SteadyMs now) const;
  /// H2. Of a name that was never heard, too; of one that is ending at least `silent_after_ms`.
  /// Units: milliseconds.
  std::int64_t silence_ms(std::string_view name, SteadyMs now) const;
  /// How long the newest controller was not heard. Units: milliseconds.
  std::int64_t controller_silence_ms(SteadyMs now) const;

  const Heartbeat* newest(std::string_view name) const;
  const std::map<std::string, Row, std::less<>>& rows() const { return rows_; }
  const std::string& self() const { return self_; }
  /// Grows with each change of who holds what, and not with offsets.
  std::uint64_t holdings_version() const { return holdings_version_; }

 private:
  void hear_myself(SteadyMs now);

  std::string self_;
  std::uint64_t incarnation_;
  std::map<std::string, Row, std::less<>> rows_;
  bool heard_myself_ = false;
  SteadyMs hearing_since_, myself_at_;
  std::uint64_t controller_epoch_ = 0;
  SteadyMs controller_at_;
  std::uint64_t holdings_version_ = 1;
};

/// Whether the listener claims the control log now: nobody who says to be its newest controller was
/// heard for `silent_after_ms`; the living claim in the order of their names, `claim_apart_ms` from
/// each other, so that mostly one does. Two that do are no harm: the first in the log wins.
bool should_claim(const HeardTable& heard, SteadyMs now);

}  // namespace souk::cluster
