#include "gateway/api/cluster/cluster_documents.h"

#include <fmt/format.h>

#include <algorithm>

#include "events/json_writer.h"
#include "events/utf8.h"
#include "gateway/api/cluster/cluster_figures.h"
#include "gateway/api/cluster/operator_commands.h"
#include "gateway/api/edge/text.h"

namespace souk {
namespace {

using namespace cluster;

/// Zones come from configurations, whatever their bytes are.
void put_text(JsonObject& out, std::string_view name, const std::string& value) {
  out.text(name, utf8_valid(value) ? std::string_view(value) : "?");
}

void put_name(JsonObject& out, std::string_view name, const ClusterView& view, NodeId id) {
  if (id == nobody)
    out.null(name);
  else
    put_text(out, name, view.state.name_of(id));
}

void append_texts(std::string& out, const std::vector<std::string>& texts) {
  append_list(out, texts, [&](const std::string& one) { append_json_string(out, one); });
}

void put_move(JsonObject& out, const ClusterView& view, const Move& move) {
  out.plain("kind", name_of(move.kind));
  out.number("shard", move.shard.value);
  put_name(out, "from", view, move.from);
  put_name(out, "to", view, move.to);
  out.text("why", words_of(move.reason));
}

void append_under_way(std::string& to, const ClusterView& view, std::uint64_t number,
                      const MoveUnderWay& under_way) {
  JsonObject out(to);
  out.number("number", number);
  put_move(out, view, under_way.move);
  put_text(out, "who", under_way.who.empty() ? "controller" : under_way.who);
  append_time(out.key("began"), under_way.began);
  out.number("for_ms", std::max<std::int64_t>(0, view.cluster.now.value - under_way.began.value));
  out.end();
}

void append_planned(std::string& to, const ClusterView& view, const Move& move) {
  JsonObject out(to);
  put_move(out, view, move);
  out.number("wave", move.wave);
  out.text("words", words_of(view.cluster, move));
  out.end();
}

void append_node(std::string& to, const ClusterView& view, const NodeFigures& node) {
  const NodeDetails* details = view.state.details(node.node->id);
  JsonObject out(to);
  out.text("name", node.node->name);
  out.text("state", node.state);
  out.truth("alive", alive(node.node->presence));
  append_time(out.key("since"), node.node->presence.since);
  out.truth("controller", node.node->name == view.controller);
  out.plain("wish", node.node->wish == Wish::serve      ? "serve"
                    : node.node->wish == Wish::cordoned ? "cordoned"
                                                        : "drained");
  out.truth("safe_to_stop", node.safe_to_stop);
  put_text(out, "zone", node.node->zone);
  out.number("weight", node.node->weight);
  out.number("owns", node.owns);
  out.number("stands_by", node.stands_by);
  out.number("copies", node.copies);
  out.number("moves", node.moves);
  out.number("lag_records", node.lag);
  out.number("records", node.records);
  if (details) {
    put_text(out, "http", details->http);
    put_text(out, "peer", details->peer);
    put_text(out, "build", details->build);
    out.number("protocol_min", details->protocol_min);
    out.number("protocol_max", details->protocol_max);
  }
  // What a node that was not heard has is not known.
  if (const Heartbeat* newest = view.heard.newest(node.node->name))
    out.truth("read_models", !newest->no_read_models);
  const auto link = std::ranges::find(view.links, node.node->name, &LinkCounters::node);
  if (link != view.links.end()) {
    out.truth("linked", link->up);
    out.number("link_sent_bytes", link->bytes_sent);
    out.number("link_received_bytes", link->bytes_received);
  }
  out.end();
}

void append_shard(std::string& to, const ClusterView& view, ShardId shard, bool explained) {
  const ShardState& present = view.cluster.present[shard.value];
  const Wanted& wanted = view.state.wanted()[shard.value];
  const LogOwner& owner = view.owners[shard.value];
  JsonObject out(to);
  out.number("shard", shard.value);
  put_name(out, "owner", view, owner.node != nobody ? owner.node : present.owner);
  out.truth("served", served(view, shard));
  out.number("epoch", owner.epoch);
  append_list(out.key("replicas"), present.replicas, [&](const Replica& replica) {
    JsonObject one(to);
    put_name(one, "node", view, replica.node);
    one.plain("holds", replica.holds == cluster::Holds::owner     ? "owner"
                       : replica.holds == cluster::Holds::standby ? "standby"
                                                                  : "copying");
    one.number("lag_records", replica.lag);
    one.end();
  });
  put_name(out, "wanted_owner", view, wanted.owner);
  put_name(out, "wanted_standby", view, wanted.standby);
  out.text("why", words_of(wanted.owner_why));
  const auto pin = std::ranges::find(view.cluster.pins, shard, &Pin::shard);
  const bool pinned = pin != view.cluster.pins.end() && pin->why == Reason::pin;
  put_name(out, "pinned_to", view, pinned ? pin->node : nobody);
  out.truth("held", view.state.held(shard));
  if (const auto* move = view.state.owner_move(shard))
    out.plain("moves", name_of(move->move.kind));
  else
    out.null("moves");
  if (explained) append_texts(out.key("explain"), explain_lines(view, shard));
  out.end();
}

void append_integration(std::string& to, const PublisherStatus& status) {
  JsonObject out(to);
  out.number("shards", status.shards);
  append_list(out.key("topics"), status.topics, [&](const PublisherStatus::Topic& topic) {
    JsonObject one(to);
    one.plain("topic", name_of(topic.topic));
    one.number("published", topic.published);
    one.number("lag_events", topic.lag_events);
    if (topic.trouble.empty())
      one.null("trouble");
    else
      put_text(one, "trouble", topic.trouble);
    one.end();
  });
  out.end();
}

std::vector<ShardId> all_shards(const ClusterView& view) {
  std::vector<ShardId> all;
  for (std::size_t s = 0; s < view.owners.size(); ++s)
    all.push_back({static_cast<std::uint16_t>(s)});
  return all;
}

}  // namespace

std::string cluster_json(const ClusterView& view,
                         const std::optional<PublisherStatus>& integration) {
  const auto& nodes = view.cluster.nodes;
  const auto shards = all_shards(view);
  const auto lives = std::ranges::count_if(nodes, [](const Node& n) { return alive(n.presence); });
  std::vector<ShardId> unserved;
  for (const ShardId shard : shards)
    if (!served(view, shard)) unserved.push_back(shard);
  std::string text;
  JsonObject out(text);
  out.text("cluster", view.name);
  out.text("node", view.self);
  if (view.controller.empty())
    out.null("controller");
  else
    out.text("controller", view.controller);
  out.truth("judges", view.judges);
  out.number("nodes", nodes.size());
  out.number("nodes_alive", lives);
  out.number("shards", shards.size());
  out.number("shards_served", shards.size() - unserved.size());
  append_list(out.key("unserved"), unserved,
              [&](ShardId shard) { append_number(text, std::uint64_t{shard.value}); });
  out.number("moves_under_way", view.state.moves().size());
  out.number("moves_to_come", moves_to_come(view).size());
  out.number("hand_over_ms", view.hand_over_ms);
  if (integration) append_integration(out.key("integration"), *integration);
  append_texts(out.key("troubles"), troubles_of(view));
  out.end();
  return text;
}

std::string nodes_json(const ClusterView& view) {
  std::string text;
  JsonObject out(text);
  append_list(out.key("nodes"), figures_of(view),
              [&](const NodeFigures& node) { append_node(text, view, node); });
  out.end();
  return text;
}

std::string shards_json(const ClusterView& view, std::string_view node) {
  auto shards = all_shards(view);
  const NodeId id = view.state.id_of(node);
  if (!node.empty())
    std::erase_if(shards, [&](ShardId shard) {
      return !find_replica(view.cluster.present[shard.value], id) &&
             view.owners[shard.value].node != id;
    });
  std::string text;
  JsonObject out(text);
  append_list(out.key("shards"), shards,
              [&](ShardId shard) { append_shard(text, view, shard, false); });
  out.end();
  return text;
}

std::string shard_json(const ClusterView& view, ShardId shard) {
  std::string text;
  JsonObject out(text);
  append_list(out.key("shards"), std::vector{shard},
              [&](ShardId one) { append_shard(text, view, one, true); });
  out.end();
  return text;
}

std::string moves_json(const ClusterView& view, std::size_t history) {
  std::string text;
  JsonObject out(text);
  append_list(out.key("moves"), view.state.moves(),
              [&](const auto& one) { append_under_way(text, view, one.first, one.second); });
  append_list(out.key("to_come"), moves_to_come(view),
              [&](const Move& move) { append_planned(text, view, move); });
  append_list(out.key("history"), view.state.history(history), [&](const HistoryLine& line) {
    JsonObject one(text);
    append_time(one.key("at"), line.at);
    put_text(one, "who", line.who);
    put_text(one, "what", line.what);
    one.end();
  });
  out.end();
  return text;
}

std::string plan_json(const ClusterView& view, const OperatorCommand& command,
                      const std::vector<PreviewedMove>& moves) {
  std::int64_t pause_ms = 0;
  std::uint64_t bytes = 0;
  std::uint32_t waves = 0;
  for (const PreviewedMove& one : moves) {
    pause_ms = std::max(pause_ms, one.pause_ms);
    bytes += one.bytes;
    waves = std::max(waves, one.move.wave + 1);
  }
  std::string text;
  JsonObject out(text);
  put_text(out, "command", words_of(command));
  append_list(out.key("moves"), moves, [&](const PreviewedMove& one) {
    JsonObject move(text);
    put_move(move, view, one.move);
    move.number("wave", one.move.wave);
    put_text(move, "words", one.words);
    move.number("bytes", one.bytes);
    move.number("pause_ms", one.pause_ms);
    move.end();
  });
  out.number("waves", waves);
  out.number("bytes", bytes);
  out.number("pause_ms", pause_ms);
  append_texts(out.key("notes"), notes_of(view, command, moves));
  out.end();
  return text;
}

std::string erasures_json(const std::vector<ErasureUnderWay>& erasures) {
  std::string text;
  JsonObject out(text);
  append_list(out.key("erasures"), erasures, [&](const ErasureUnderWay& one) {
    JsonObject erasure(text);
    erasure.text("person", one.person);
    append_time(erasure.key("asked_at"), one.asked_at);
    append_texts(erasure.key("waits_for"), one.waits_for);
    erasure.end();
  });
  out.end();
  return text;
}

}  // namespace souk
