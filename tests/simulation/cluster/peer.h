#pragma once
/// A node of a simulated cluster, through its lives: the daemon's own engine, shared logs, router and
/// control over simulated brokers, links, disks and clocks. Each of what are threads in the daemon
/// is stepped by itself, and may sleep while the others go on.
#include <map>
#include <memory>
#include <string>

#include "actors/host/stepped_engine.h"
#include "cluster/node/cluster_node.h"
#include "node/node.h"
#include "tests/simulation/cluster/copy.h"
#include "tests/simulation/cluster/network.h"
#include "tests/simulation/cluster/payments.h"
#include "tests/simulation/cluster/topic.h"
#include "tests/simulation/copies.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/exchange.h"

namespace souk::simulation {

/// Who said to own a shard in an epoch: at most one incarnation (P4).
using Reigns = std::map<std::pair<std::uint16_t, std::uint64_t>, std::uint64_t>;

/// What all nodes of a run stand on.
struct Town {
  World& world;
  const EngineOptions& options;
  const std::uint64_t genesis;
  SimTopic& events;
  SimTopic& control;
  SimTopic& liveness;
  SimNetwork& network;
  SimVault& vault;
  PaymentHub& payments;
  const Presenter& presenter;
  Referee& referee;
  Reigns& reigns;
  std::uint64_t& incarnations;  // so many were born
  bool naive = false;           // a report of success acknowledges
};

class SimPeer {
 public:
  struct Options {
    std::string name, zone;
    bool no_read_models = false;  // it follows only what it holds
  };
  SimPeer(const Town& town, Options options);
  ~SimPeer();
  SimPeer(const SimPeer&) = delete;

  /// Errors: unavailable, and it may be tried again; others, and time does not heal it.
  Status start();
  /// The process dies. Of its disk it keeps what the disk had.
  void kill();
  /// An empty disk takes the place of its own. REQUIRES: !lives().
  void lose_disk();
  bool lives() const { return life_ != nullptr; }

  // ---- what goes on in it ----
  enum class Part : std::uint8_t { engine, logs, cluster };
  static constexpr std::size_t parts = 3;
  /// The part has something to do now.
  bool ready(Part part) const;
  void step(Part part);
  /// When a part has something to do although nothing comes. REQUIRES: lives().
  std::int64_t due_ms() const;
  /// REQUIRES: `ms` of the world's time pass as well.
  void pass(std::int64_t ms);
  /// The part does nothing until then, and its clock goes on.
  void sleep(Part part, std::int64_t until_ms) {
    asleep_until_ms_[static_cast<std::size_t>(part)] = until_ms;
  }
  void wake() { asleep_until_ms_ = {}; }

  const std::string& name() const { return options_.name; }
  bool follows_all() const { return !options_.no_read_models; }
  /// Whether it owns or follows the shard now.
  bool follows(ShardId shard) const;
  std::uint64_t incarnation() const;
  Exchange& exchange() { return exchange_; }
  Road& road() { return *road_; }
  SimCopy& copy() { return copy_; }
  SimStateStore& states() { return states_; }
  MachineClock& clock() { return clock_; }
  /// REQUIRES: lives().
  cluster::ClusterNode& cluster();
  const std::vector<std::unique_ptr<HostCore>>& hosts() const;
  /// No order or user is owed anything by its shards, and each has read its log to the end.
  bool at_rest() const { return restless().empty(); }
  /// Why it is not, in words.
  std::string restless() const;
  /// Whether it owns the shard, as it believes; and in which epoch.
  std::optional<std::uint64_t> owns(ShardId shard) const;
  /// Why its copy is not read on; empty: it is.
  std::string halted() const;

 private:
  struct Life;
  bool asleep(Part part) const {
    return town_.world.time_ms() < asleep_until_ms_[static_cast<std::size_t>(part)];
  }
  Status open(Life& life);
  Offset copy_place(ShardId shard) const;

  const Town town_;
  const Options options_;
  mutable SimCopy copy_;
  SimStateStore states_;
  MachineClock clock_;
  WorldRandomness randomness_;
  std::shared_ptr<Road> road_ = std::make_shared<Road>();
  Exchange exchange_;
  std::unique_ptr<Life> life_;
  std::array<std::int64_t, parts> asleep_until_ms_{};
};

}  // namespace souk::simulation
