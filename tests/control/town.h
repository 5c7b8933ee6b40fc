#pragma once
/// A cluster in virtual time, of the pure parts of its control and small models of the rest: a
/// control log that fences, a liveness log, the shards' logs, and nodes that do what the control
/// asks of them, late, slowly or not at all.
#include <doctest/doctest.h>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "cluster/control/command.h"
#include "cluster/control/controller.h"

namespace souk::cluster::test {

inline constexpr std::int64_t step_ms = 50;

/// The records that count, in their order, and what they fold to. Whatever is appended must be
/// admitted by `check`.
struct ControlLog {
  explicit ControlLog(std::size_t shards) : truth(shards) {}

  std::vector<std::string> records;  // of claims: empty
  std::vector<std::uint64_t> epochs;
  std::uint64_t epoch = 0;
  ControlState truth;
  /// By its moves: what was cancelled and not asked for since. Kept apart from ControlState::held.
  std::set<ShardId> cancelled;
  std::map<ShardId, int> owner_moves, copies;

  std::uint64_t claim();
  /// Of a writer that is deposed it counts for nothing.
  void append(std::uint64_t epoch_of_writer, const std::vector<Entry>& entries);

 private:
  void watch(const Entry& entry);
};

struct TownNode {
  TownNode(std::string its_name, std::uint64_t inc, std::size_t shards)
      : name(std::move(its_name)), incarnation(inc), heard(name, inc), state(shards) {}

  std::string name;
  std::uint64_t incarnation;
  HeardTable heard;
  ControlState state;
  std::size_t folded = 0;
  std::uint64_t reign = 0;  // 0: it is not the controller
  std::unique_ptr<Controller> controller;
  std::uint64_t sequence = 0;
  std::map<ShardId, Holding> holdings;
  std::map<std::uint64_t, SteadyMs> begins;  // by move: when it gets on with it
  std::map<ShardId, SteadyMs> claims;        // when it claims
  std::deque<std::pair<SteadyMs, Heartbeat>> air;
};

struct Town {
  Town(std::uint64_t seed, std::size_t nodes, std::size_t shards);

  std::mt19937_64 random;
  SteadyMs now{0};
  ControlLog log;
  std::vector<LogOwner> owners;
  std::vector<Offset> ends;
  std::vector<std::string> names;
  std::map<std::string, std::string> zones;
  std::map<std::string, std::unique_ptr<TownNode>> living;
  std::map<std::string, std::map<ShardId, Holding>> disks;
  std::set<std::string> cut_off;
  bool sluggish = true;  // some moves get stuck, some folds come late

  std::uint64_t below(std::uint64_t n) { return random() % n; }
  UnixMs time() const { return {1'700'000'000'000 + now.value}; }
  void start(const std::string& name);
  void kill(const std::string& name);
  void step(std::int64_t ms = step_ms);
  void pass_ms(std::int64_t ms, std::int64_t step_by = step_ms);
  /// What an operator asks the controller; false: there is none, or it was refused.
  bool order(OperatorCommand command);
  OperatorCommand any_command();
  void any_fault();

  /// A living node that is the shard's owner by its log, in its present incarnation.
  bool owned(ShardId shard) const;
  /// Of the shards that nobody owns.
  std::string orphans() const;

 private:
  void beat(TownNode& node);
  void listen(TownNode& node);
  void fold(TownNode& node);
  void rule(TownNode& node);
  void work(TownNode& node);
  void reconcile(TownNode& node);
  void obey(TownNode& node, std::uint64_t number, const Move& move);
  NodeId id(const TownNode& node) const { return node.state.id_of(node.name); }
  bool owns(const TownNode& node, ShardId shard) const {
    const LogOwner& owner = owners[shard.value];
    return owner.incarnation == node.incarnation && owner.node == id(node);
  }

  std::uint64_t last_incarnation_ = 0;
};

}  // namespace souk::cluster::test
