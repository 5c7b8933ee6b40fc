// What control_state.h tells of the past, in words.
#include <fmt/format.h>

#include "cluster/control/control_state.h"
#include "events/result.h"

namespace souk::cluster {
namespace {

std::string_view outcome_words(MoveOutcome outcome) {
  switch (outcome) {
    case MoveOutcome::done:
      return "is done";
    case MoveOutcome::failed:
      return "failed";
    case MoveOutcome::cancelled:
      return "was cancelled";
  }
  SOUK_ASSERT(false);
}
std::string_view wish_words(Wish wish) {
  switch (wish) {
    case Wish::serve:
      return "serves again";
    case Wish::cordoned:
      return "is cordoned";
    case Wish::drained:
      return "is drained";
  }
  SOUK_ASSERT(false);
}

}  // namespace

std::string ControlState::name_of(NodeId id) const {
  if (id == nobody) return "nobody";
  const auto at = names_.find(id);
  return at == names_.end() ? fmt::format("node {}", id.value) : at->second;
}

std::string ControlState::words_of(const Kept& kept) const {
  const auto move = [&](std::uint64_t number, const Move& m) {
    std::string words =
        fmt::format("move {} (shard {}: {}", number, m.shard.value, cluster::name_of(m.kind));
    if (m.from != nobody) words += fmt::format(" from {}", name_of(m.from));
    if (m.to != nobody) words += fmt::format(" to {}", name_of(m.to));
    return words + ")";
  };
  return std::visit(
      Overloaded{
          [&](const NodeJoined& e) {
            return fmt::format("{} joined as node {}, zone '{}', weight {}", e.name, e.node.value,
                               e.zone, e.weight);
          },
          [&](const NodeHeard& e) { return fmt::format("{} is alive", name_of(e.node)); },
          [&](const NodeSilent& e) { return fmt::format("{} is silent", name_of(e.node)); },
          [&](const NodeWished& e) {
            return fmt::format("{} {}", name_of(e.node), wish_words(e.wish));
          },
          [&](const NodeWeighted& e) {
            return fmt::format("{} has the weight {}", name_of(e.node), e.weight);
          },
          [&](const NodeZoned& e) {
            return fmt::format("{} is in the zone '{}'", name_of(e.node), e.zone);
          },
          [&](const NodeForgotten& e) { return fmt::format("{} is forgotten", name_of(e.node)); },
          [&](const ShardPinned& e) {
            return fmt::format("shard {} is pinned to {}", e.shard.value, name_of(e.node));
          },
          [&](const ShardUnpinned& e) {
            return fmt::format("shard {} is unpinned", e.shard.value);
          },
          [&](const ShardAsked& e) {
            return fmt::format("shard {} is to move to {}", e.shard.value, name_of(e.node));
          },
          [&](const ShardsRebalanced&) { return std::string("the shards are rebalanced"); },
          [&](const PlacementWanted&) {
            return fmt::format("the placement changed for {} shards", kept.seats);
          },
          [&](const MoveBegan& e) {
            return fmt::format("{} began: {}", move(e.number, e.move),
                               cluster::words_of(e.move.reason));
          },
          [&](const MoveEnded& e) {
            return fmt::format("{} {}", move(e.number, kept.move), outcome_words(e.outcome));
          },
          [&](const OwnerFound& e) {
            return fmt::format("shard {} is owned by {}, as its log says, since epoch {}",
                               e.shard.value, name_of(e.node), e.epoch);
          },
          [&](const ReplicaWarm& e) {
            return fmt::format("{} stands by for shard {}", name_of(e.node), e.shard.value);
          },
          [&](const ReplicaLost& e) {
            return fmt::format("{} has lost its replica of shard {}", name_of(e.node),
                               e.shard.value);
          },
          [&](const OperatorNote& e) { return e.text; },
      },
      kept.entry.body);
}

std::vector<HistoryLine> ControlState::history(std::size_t count) const {
  std::vector<HistoryLine> lines;
  const std::size_t first = history_.size() - std::min(count, history_.size());
  for (std::size_t i = first; i < history_.size(); ++i) {
    const Kept& kept = history_[i];
    lines.push_back(
        {kept.entry.at, kept.entry.who.empty() ? "controller" : kept.entry.who, words_of(kept)});
  }
  return lines;
}

}  // namespace souk::cluster
