#pragma once
/// A control log in one process: what the controller decides is checked, encoded, decoded and
/// folded at once.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "cluster/control/command.h"
#include "cluster/control/controller.h"

namespace souk::cluster::test {

constexpr UnixMs noon{1'700'000'000'000};
constexpr ShardId shard(std::size_t number) { return {static_cast<std::uint16_t>(number)}; }

inline Heartbeat heartbeat_of(std::string name, std::uint64_t incarnation = 1) {
  Heartbeat heartbeat;
  heartbeat.name = std::move(name);
  heartbeat.incarnation = incarnation;
  heartbeat.http = heartbeat.name + ":8080";
  heartbeat.build = "1";
  return heartbeat;
}

/// Nodes that beat every 250 ms, listened to by `a`. Logs change owner when the test says so.
struct Desk {
  explicit Desk(std::size_t shards) : state(shards), owners(shards) {}

  ControlState state;
  Controller controller;
  HeardTable heard{"a", 1};
  std::vector<LogOwner> owners;
  std::map<std::string, Heartbeat> nodes;
  SteadyMs steady{0};
  std::vector<Entry> said;  // since the test cleared it

  UnixMs now() const { return noon.plus_ms(steady.value); }
  Observed seen() const { return {heard, owners, steady, now()}; }
  Heartbeat& node(const std::string& name) { return nodes.at(name); }
  NodeId id(std::string_view name) const { return state.id_of(name); }

  void joins(const std::string& name, const std::string& zone = {}) {
    nodes[name] = heartbeat_of(name);
    nodes[name].zone = zone;
  }
  void dies(const std::string& name) { nodes.erase(name); }
  void holds(const std::string& name, std::size_t number, Holds holds, Offset next = 0) {
    auto& holdings = nodes.at(name).holdings;
    std::erase_if(holdings, [&](const Holding& h) { return h.shard == shard(number); });
    holdings.push_back({shard(number), holds, next});
    std::ranges::sort(holdings, {}, &Holding::shard);
  }
  void fold(Entry entry) {
    REQUIRE_MESSAGE(!state.check(entry), *state.check(entry));
    const auto decoded = decode_entries(encode(std::vector{entry}));
    REQUIRE(decoded.ok());
    REQUIRE(*decoded == std::vector{entry});
    REQUIRE(state.fold(entry));
    said.push_back(std::move(entry));
  }
  void decide() {
    for (int round = 0; round < 50; ++round) {
      const auto entries = controller.decide(state, seen());
      if (entries.empty()) return;
      for (const Entry& entry : entries) fold(entry);
    }
    FAIL("it never ends");
  }
  void beat() {
    steady = steady.plus_ms(heartbeat_every_ms);
    for (auto& [name, heartbeat] : nodes) {
      ++heartbeat.sequence;
      heard.take(heartbeat, steady);
    }
    decide();
  }
  void pass_ms(std::int64_t ms) {
    for (; ms > 0; ms -= heartbeat_every_ms) beat();
  }
  /// Nodes do at once what moves ask of them, until nothing moves.
  void settle() {
    for (int round = 0; round < 400; ++round) {
      obey();
      beat();
      if (state.moves().empty() && round > 20) return;
    }
    FAIL("it moves for ever");
  }
  void obey() {
    for (const auto& [number, under_way] : state.moves()) {
      const Move& move = under_way.move;
      const NodeId who = move.kind == Move::Kind::drop ? move.from : move.to;
      if (!nodes.contains(state.name_of(who))) continue;
      Heartbeat& heartbeat = node(state.name_of(who));
      if (move.kind == Move::Kind::copy) {
        holds(heartbeat.name, move.shard.value, Holds::standby);
      } else if (move.kind == Move::Kind::drop) {
        std::erase_if(heartbeat.holdings, [&](const Holding& h) { return h.shard == move.shard; });
      } else {
        owns(heartbeat.name, move.shard.value);
      }
    }
  }
  void owns(const std::string& name, std::size_t number) {
    LogOwner& owner = owners[number];
    const std::string before = state.name_of(owner.node);
    if (nodes.contains(before)) holds(before, number, Holds::standby);
    owner = {id(name), node(name).incarnation, owner.epoch + 1};
    holds(name, number, Holds::owner);
  }
  template <class Body>
  std::vector<Body> all() const {
    std::vector<Body> found;
    for (const Entry& entry : said)
      if (const auto* body = std::get_if<Body>(&entry.body)) found.push_back(*body);
    return found;
  }
  std::string order(const OperatorCommand& command) {
    const auto entries = answer(state, command, now());
    if (!entries) return entries.error().why;
    for (const Entry& entry : *entries) fold(entry);
    return "done";
  }
  NodeId owner(std::size_t number) const { return state.cluster().present[number].owner; }
  const Wanted& wanted(std::size_t number) const { return state.wanted()[number]; }
};

}  // namespace souk::cluster::test
