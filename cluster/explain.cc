// What plan.h says in words.
#include <fmt/format.h>

#include "cluster/plan.h"
#include "events/result.h"

namespace souk::cluster {
namespace {

std::string name_of(const Cluster& cluster, NodeId id) {
  const Node* node = find_node(cluster, id);
  return node && !node->name.empty() ? node->name : fmt::format("node {}", id.value);
}

std::string seconds(std::int64_t ms) { return fmt::format("{} s", (ms + 999) / 1'000); }

/// What the node is, where it is anything but well.
std::string state_of(const Cluster& cluster, NodeId id) {
  const Node* node = find_node(cluster, id);
  if (!node) return "is not of the cluster any more";
  const std::int64_t since = cluster.now.value - node->presence.since.value;
  if (!alive(node->presence)) return fmt::format("is away for {}", seconds(since));
  if (node->wish == Wish::drained) return "is drained";
  if (node->wish == Wish::cordoned) return "is cordoned";
  if (!settled(node->presence, cluster.now))
    return fmt::format("was away; it is a place after {} alive, of which {} have passed",
                       seconds(settling_ms(node->presence, cluster.now)), seconds(since));
  return {};
}

std::string line_of(const Cluster& cluster, const Replica& replica) {
  std::string line = fmt::format("{} ", name_of(cluster, replica.node));
  switch (replica.holds) {
    case Holds::owner:
      line += "owns it";
      break;
    case Holds::copying:
      line += "copies it";
      break;
    case Holds::standby:
      line += fmt::format("stands by, {} records behind{}", replica.lag,
                          replica.lag < warm_lag_max
                              ? std::string()
                              : fmt::format("; it may own it below {}", warm_lag_max));
  }
  const std::string state = state_of(cluster, replica.node);
  return state.empty() ? line + ".\n"
                       : fmt::format("{}; {} {}.\n", line, name_of(cluster, replica.node), state);
}

std::string pin_line(const Cluster& cluster, const Wanted& wanted, ShardId shard) {
  for (const Pin& pin : cluster.pins) {
    if (pin.shard != shard) continue;
    const std::string name = name_of(cluster, pin.node);
    const std::string_view verb = pin.why == Reason::asked ? "asked to move" : "pinned";
    if (pin.node == wanted.owner) return fmt::format("It is {} to {}.\n", verb, name);
    return fmt::format("It is {} to {}, and waits for it: {} {}.\n", verb, name, name,
                       state_of(cluster, pin.node));
  }
  return {};
}

}  // namespace

std::string_view name_of(Move::Kind kind) {
  switch (kind) {
    case Move::Kind::promote:
      return "promote";
    case Move::Kind::start:
      return "start";
    case Move::Kind::copy:
      return "copy";
    case Move::Kind::hand_over:
      return "hand over";
    case Move::Kind::drop:
      return "drop";
  }
  SOUK_ASSERT(false);
}

std::string_view words_of(Reason reason) {
  switch (reason) {
    case Reason::stayed:
      return "it was there before, and nothing speaks against it";
    case Reason::first_placed:
      return "placed for the first time, by its hash";
    case Reason::node_gone:
      return "the node that had it is gone";
    case Reason::drain:
      return "the node that had it is drained";
    case Reason::pin:
      return "pinned by an operator";
    case Reason::asked:
      return "moved there by an operator";
    case Reason::zone:
      return "owner and standby must be in different zones";
    case Reason::node_joined:
      return "a node joined or came back, and takes its share";
    case Reason::balance:
      return "another node had more than its share";
  }
  SOUK_ASSERT(false);
}

std::string words_of(const Cluster& cluster, const Move& move) {
  std::string words = fmt::format("shard {}: {}", move.shard.value, name_of(move.kind));
  const bool replaces = move.kind == Move::Kind::promote || move.kind == Move::Kind::start;
  if (move.from != nobody)
    words +=
        fmt::format(" {} {}", replaces ? "in the place of" : "from", name_of(cluster, move.from));
  if (move.to != nobody) words += fmt::format(" to {}", name_of(cluster, move.to));
  words += fmt::format(" ({})", words_of(move.reason));
  if (move.wave > 0) words += fmt::format(", after wave {}", move.wave - 1);
  return words;
}

std::string explain(const Cluster& cluster, const Placement& wanted, const std::vector<Move>& moves,
                    ShardId shard) {
  SOUK_ASSERT(shard.value < wanted.size() && wanted.size() == cluster.present.size());
  const ShardState& present = cluster.present[shard.value];
  const Wanted& want = wanted[shard.value];
  std::string text;
  if (present.owner == nobody) text += "Nobody owns it.\n";
  for (const Replica& replica : present.replicas) text += line_of(cluster, replica);
  if (want.owner == nobody) return text + "It waits for a node: none is alive.\n";
  text += fmt::format("Wanted owner: {} ({}).\n", name_of(cluster, want.owner),
                      words_of(want.owner_why));
  text += want.standby == nobody
              ? "No standby is wanted: no other node may have one.\n"
              : fmt::format("Wanted standby: {} ({}).\n", name_of(cluster, want.standby),
                            words_of(want.standby_why));
  text += pin_line(cluster, want, shard);
  bool next = false;
  for (const Move& move : moves) {
    if (move.shard != shard) continue;
    next = true;
    text += (move.wave == 0 ? "Now: " : "Then: ") + words_of(cluster, move) + ".\n";
  }
  if (!next) text += "Nothing is to be moved.\n";
  return text;
}

}  // namespace souk::cluster
