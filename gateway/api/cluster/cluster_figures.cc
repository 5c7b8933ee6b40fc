#include "gateway/api/cluster/cluster_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cluster/plan.h"
#include "gateway/api/cluster/cluster_documents.h"

namespace souk {
namespace {

using namespace cluster;

std::int64_t seconds(std::int64_t ms) { return (std::max<std::int64_t>(ms, 0) + 999) / 1'000; }

std::string state_words(const Node& node, UnixMs now, bool safe) {
  const std::int64_t since_ms = now.value - node.presence.since.value;
  if (!alive(node.presence)) return fmt::format("away for {} s", seconds(since_ms));
  if (node.wish == Wish::drained) return safe ? "drained" : "draining";
  if (node.wish == Wish::cordoned) return "cordoned";
  if (!settled(node.presence, now))
    return fmt::format("back; a place in {} s",
                       seconds(settling_ms(node.presence, now) - since_ms));
  return "serves";
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::string under_way_line(const ClusterView& view, std::uint64_t number,
                           const MoveUnderWay& under_way) {
  std::string line = fmt::format("Move {} is under way for {} s: {}", number,
                                 seconds(view.cluster.now.value - under_way.began.value),
                                 name_of(under_way.move.kind));
  if (under_way.move.from != nobody)
    line += fmt::format(" from {}", view.state.name_of(under_way.move.from));
  if (under_way.move.to != nobody)
    line += fmt::format(" to {}", view.state.name_of(under_way.move.to));
  return line + ".";
}

/// Whether nobody lives but the node.
bool last_alive(const ClusterView& view, NodeId id) {
  return std::ranges::none_of(view.cluster.nodes, [&](const Node& node) {
    return node.id != id && alive(node.presence) && node.wish != Wish::drained;
  });
}

}  // namespace

bool served(const ClusterView& view, ShardId shard) {
  const LogOwner& owner = view.owners[shard.value];
  const Node* node = view.state.node(owner.node);
  const NodeDetails* details = view.state.details(owner.node);
  if (!node || !details || !alive(node->presence)) return false;
  if (details->incarnation != owner.incarnation) return false;
  if (view.state.appointed(shard) == owner.node) return true;
  const MoveUnderWay* move = view.state.owner_move(shard);
  return move && (move->move.to == owner.node || move->move.from == owner.node);
}

std::vector<NodeFigures> figures_of(const ClusterView& view) {
  std::map<NodeId, NodeFigures> by_id;
  for (const Node& node : view.cluster.nodes) by_id[node.id].node = &node;
  const auto of = [&](NodeId id) -> NodeFigures* {
    const auto found = by_id.find(id);
    return found == by_id.end() ? nullptr : &found->second;
  };
  for (std::size_t s = 0; s < view.owners.size(); ++s) {
    const ShardState& present = view.cluster.present[s];
    const NodeId in_log = view.owners[s].node;
    if (auto* node = of(in_log)) ++node->owns;
    if (present.owner != in_log)
      if (auto* node = of(present.owner)) ++node->owns;
    for (const Replica& replica : present.replicas) {
      auto* node = of(replica.node);
      if (!node || replica.holds == Holds::owner) continue;
      ++(replica.holds == Holds::standby ? node->stands_by : node->copies);
      node->lag = std::max(node->lag, replica.lag);
    }
  }
  for (const auto& [number, under_way] : view.state.moves())
    for (const NodeId id : {under_way.move.from, under_way.move.to})
      if (auto* node = of(id)) ++node->moves;
  std::vector<NodeFigures> all;
  for (auto& [id, node] : by_id) {
    if (const Heartbeat* heartbeat = view.heard.newest(node.node->name))
      for (const Holding& holding : heartbeat->holdings)
        if (holding.holds == Holds::owner) node.records += static_cast<std::uint64_t>(holding.next);
    node.safe_to_stop = node.node->wish == Wish::drained && node.owns == 0 && node.stands_by == 0 &&
                        node.copies == 0 && node.moves == 0;
    node.state = state_words(*node.node, view.cluster.now, node.safe_to_stop);
    all.push_back(std::move(node));
  }
  std::ranges::sort(all, {},
                    [](const NodeFigures& one) -> const std::string& { return one.node->name; });
  return all;
}

std::vector<Move> moves_to_come(const ClusterView& view) {
  std::vector<Move> moves = plan(view.cluster, view.state.wanted());
  std::erase_if(moves, [&](const Move& move) {
    const bool vital = move.kind == Move::Kind::promote || move.kind == Move::Kind::start;
    return view.state.under_way(move) || (view.state.held(move.shard) && !vital);
  });
  return moves;
}

std::vector<std::string> troubles_of(const ClusterView& view) {
  std::vector<std::string> troubles;
  if (view.controller.empty())
    troubles.push_back(
        "No controller is heard: nothing is decided. A living node takes its place within 3 s, "
        "if it reaches the brokers.");
  if (!view.judges)
    troubles.push_back(
        "This node does not hear itself: what it says of others may be old. Does "
        "it reach the brokers?");
  std::size_t without_standby = 0, held = 0;
  for (std::size_t s = 0; s < view.owners.size(); ++s) {
    const ShardId shard{static_cast<std::uint16_t>(s)};
    held += view.state.held(shard) ? 1 : 0;
    const auto& replicas = view.cluster.present[s].replicas;
    without_standby += std::ranges::none_of(replicas,
                                            [&](const Replica& replica) {
                                              const Node* node = view.state.node(replica.node);
                                              return replica.holds == Holds::standby && node &&
                                                     alive(node->presence);
                                            })
                           ? 1
                           : 0;
    if (!served(view, shard))
      troubles.push_back(fmt::format("Shard {} is not served: souk cluster explain {}", s, s));
  }
  for (const Node& node : view.cluster.nodes)
    if (!alive(node.presence))
      troubles.push_back(
          fmt::format("{} is {}.", node.name, state_words(node, view.cluster.now, false)));
  if (std::ranges::none_of(view.cluster.nodes, [&](const Node& node) {
        const Heartbeat* newest = view.heard.newest(node.name);
        return alive(node.presence) && !(newest && newest->no_read_models);
      }))
    troubles.push_back(
        "No node with read models lives: searches, reports and SQL are answered 503. Start one "
        "without --no-read-models.");
  if (without_standby > 0)
    troubles.push_back(fmt::format(
        "{} shards have no standby that lives: the loss of their owner is a longer pause.",
        without_standby));
  if (held > 0)
    troubles.push_back(
        fmt::format("{} shards are held, since their move was cancelled: souk cluster rebalance "
                    "lets them go.",
                    held));
  return troubles;
}

namespace {

/// Records that nodes without read models would read to have what the plan gives them.
std::uint64_t records_to_read(const ClusterView& view, const std::vector<PreviewedMove>& moves) {
  std::uint64_t records = 0;
  for (const PreviewedMove& one : moves) {
    if (one.move.kind != Move::Kind::copy && one.move.kind != Move::Kind::start) continue;
    const Heartbeat* to = view.heard.newest(view.state.name_of(one.move.to));
    if (!to || !to->no_read_models) continue;
    for (const auto& [name, row] : view.heard.rows())
      if (const Holding* owner = find_holding(row.newest, one.move.shard);
          owner && owner->holds == Holds::owner)
        records += owner->next;
  }
  return records;
}

}  // namespace

std::vector<std::string> notes_of(const ClusterView& view, const OperatorCommand& command,
                                  const std::vector<PreviewedMove>& moves) {
  std::vector<std::string> notes;
  if (const auto* drain = std::get_if<DrainNode>(&command.wish);
      drain && last_alive(view, view.state.id_of(drain->node)))
    notes.push_back(fmt::format(
        "No other node could take the shards of {}: it keeps them until one can.", drain->node));
  if (const auto* move = std::get_if<MoveShard>(&command.wish);
      move && view.state.cluster().present[move->shard.value].owner == view.state.id_of(move->to))
    notes.push_back(fmt::format("{} owns shard {} already; from now on it stays there.", move->to,
                                move->shard.value));
  if (std::holds_alternative<CancelMove>(command.wish))
    notes.push_back(
        "The shard then stays as it is (held) until it is asked for, pinned, or the "
        "shards are rebalanced.");
  if (const std::uint64_t records = records_to_read(view, moves); records > 0)
    notes.push_back(
        fmt::format("Nodes without read models read the logs of their new shards first, from where "
                    "they left them: {} records at most.",
                    records));
  else
    notes.push_back(
        "Who shall have a shard follows its log already: a copy costs no bytes, but the time until "
        "it is at the end of the log.");
  return notes;
}

std::vector<std::string> explain_lines(const ClusterView& view, ShardId shard) {
  std::vector<std::string> lines = lines_of(
      explain(view.cluster, view.state.wanted(), plan(view.cluster, view.state.wanted()), shard));
  for (const auto& [number, under_way] : view.state.moves())
    if (under_way.move.shard == shard) lines.push_back(under_way_line(view, number, under_way));
  if (const auto who = view.state.asked_by(shard); !who.empty())
    lines.push_back(fmt::format("Who asked for it: {}.", who));
  if (view.state.held(shard))
    lines.push_back(fmt::format(
        "It is held: a move of it was cancelled. It stays as it is until souk cluster move {} or "
        "pin {} asks for it, or souk cluster rebalance.",
        shard.value, shard.value));
  const LogOwner& owner = view.owners[shard.value];
  if (!served(view, shard))
    lines.push_back(
        owner.epoch == 0
            ? "Nobody serves it: its log names no owner yet."
            : fmt::format("Nobody serves it: its log names {} in epoch {}, which does not live in "
                          "this incarnation or shall not own it.",
                          view.state.name_of(owner.node), owner.epoch));
  if (view.controller.empty())
    lines.push_back("No controller is heard: nothing moves until a node takes its place.");
  return lines;
}

}  // namespace souk
