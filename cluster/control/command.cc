#include "cluster/control/command.h"

#include <fmt/format.h>

#include <algorithm>

#include "cluster/control/controller.h"

namespace souk::cluster {
namespace {

using Answer = Result<std::vector<Entry>, Refused>;

struct Answerer {
  const ControlState& state;
  const OperatorCommand& command;
  UnixMs now;

  Answer nothing() const { return std::vector<Entry>(); }
  Answer say(EntryBody body) const {
    Entry entry{.at = now, .who = command.who, .body = std::move(body)};
    if (const auto no = state.check(entry)) return Refused{*no};
    return std::vector<Entry>{std::move(entry)};
  }
  /// `then` of the node of that name.
  template <class Then>
  Answer with(const std::string& name, Then then) const {
    const Node* node = state.node(state.id_of(name));
    if (!node) return Refused{fmt::format("there is no node '{}'", name)};
    return then(*node);
  }
  Answer wish(const std::string& name, Wish wish) const {
    // Draining once more is no repetition: it asks anew for moves that were cancelled.
    return with(name, [&](const Node& node) {
      return node.wish == wish && wish != Wish::drained ? nothing()
                                                        : say(NodeWished{node.id, wish});
    });
  }

  Answer operator()(const MoveShard& c) const {
    return with(c.to, [&](const Node& node) { return say(ShardAsked{c.shard, node.id}); });
  }
  Answer operator()(const DrainNode& c) const { return wish(c.node, Wish::drained); }
  Answer operator()(const CordonNode& c) const { return wish(c.node, Wish::cordoned); }
  Answer operator()(const UncordonNode& c) const { return wish(c.node, Wish::serve); }
  Answer operator()(const WeighNode& c) const {
    return with(c.node, [&](const Node& node) {
      return node.weight == c.weight ? nothing() : say(NodeWeighted{node.id, c.weight});
    });
  }
  Answer operator()(const PutNodeInZone& c) const {
    if (c.zone.size() > zone_bytes_max)
      return Refused{fmt::format("a zone has at most {} bytes", zone_bytes_max)};
    return with(c.node, [&](const Node& node) {
      return node.zone == c.zone ? nothing() : say(NodeZoned{node.id, c.zone});
    });
  }
  Answer operator()(const ForgetNode& c) const {
    return with(c.node, [&](const Node& node) { return say(NodeForgotten{node.id}); });
  }
  Answer operator()(const PinShard& c) const {
    return with(c.to, [&](const Node& node) { return say(ShardPinned{c.shard, node.id}); });
  }
  Answer operator()(const UnpinShard& c) const { return say(ShardUnpinned{c.shard}); }
  Answer operator()(const Rebalance&) const { return say(ShardsRebalanced{}); }
  Answer operator()(const CancelMove& c) const {
    return say(MoveEnded{c.number, MoveOutcome::cancelled, 0});
  }
  Answer operator()(const NoteDown& c) const {
    if (c.text.size() > note_bytes_max)
      return Refused{fmt::format("a note has at most {} bytes", note_bytes_max)};
    return say(OperatorNote{c.text});
  }
};

std::vector<Move> all_moves(const ControlState& state, const HeardTable& heard, UnixMs now) {
  const Cluster cluster = present_view(state, heard, now);
  std::vector<Move> moves = plan(cluster, place(cluster, state.wanted()));
  std::erase_if(moves, [&](const Move& move) {
    return state.under_way(move) || (state.held(move.shard) && move.kind != Move::Kind::promote &&
                                     move.kind != Move::Kind::start);
  });
  return moves;
}

auto key_of(const Move& move) { return std::tuple(move.shard, move.kind, move.from, move.to); }

}  // namespace

Answer answer(const ControlState& state, const OperatorCommand& command, UnixMs now) {
  if (command.who.empty() || command.who.size() > who_bytes_max)
    return Refused{fmt::format("who asks has a name of 1 to {} bytes", who_bytes_max)};
  return std::visit(Answerer{state, command, now}, command.wish);
}

Result<std::vector<PreviewedMove>, Refused> preview(const ControlState& state,
                                                    const OperatorCommand& command,
                                                    const HeardTable& heard,
                                                    const MoveFigures& figures, UnixMs now) {
  const Answer entries = answer(state, command, now);
  if (!entries) return Refused(entries.error());
  ControlState then = state;
  for (const Entry& entry : *entries) then.fold(entry);
  std::vector<std::tuple<ShardId, Move::Kind, NodeId, NodeId>> anyway;
  for (const Move& move : all_moves(state, heard, now)) anyway.push_back(key_of(move));
  std::ranges::sort(anyway);
  const Cluster cluster = present_view(then, heard, now);
  std::vector<PreviewedMove> previewed;
  for (const Move& move : all_moves(then, heard, now)) {
    if (std::ranges::binary_search(anyway, key_of(move))) continue;
    previewed.push_back(
        {.move = move,
         .words = words_of(cluster, move),
         .bytes = move.kind == Move::Kind::copy ? figures.bytes_of(move.shard) : 0,
         .pause_ms = move.kind == Move::Kind::hand_over ? figures.hand_over_pause_ms : 0});
  }
  return previewed;
}

}  // namespace souk::cluster
