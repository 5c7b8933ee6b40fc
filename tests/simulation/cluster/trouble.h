#pragma once
/// What befalls a cluster: nodes die, sleep and start again, ways between them and to the brokers
/// are cut, brokers pause, operators move things.
#include <memory>
#include <vector>

#include "tests/simulation/cluster/peer.h"

namespace souk::simulation {

using SimPeers = std::vector<std::unique_ptr<SimPeer>>;

class Trouble {
 public:
  Trouble(const Town& town, SimPeers& members);

  /// Starts a node, until it succeeds.
  void start(SimPeer& member);
  /// From now on things go wrong.
  void begin();
  /// Nothing does any more, and all nodes live.
  void calm_down();

  struct Counts {
    std::uint64_t crashes = 0, disks_lost = 0, failed_starts = 0, sleeps = 0, cuts = 0,
                  operators = 0;
  };
  Counts counts;

 private:
  void next();
  void strike();
  void kill();
  void put_to_sleep();
  void cut_link();
  void cut_off();
  void pause_leader();
  void ask_operator();
  void farewell();
  void end_farewell(SimPeer& member, std::uint64_t incarnation, std::int64_t until_ms);
  SimPeer* somebody();
  void say(const std::string& what);

  const Town& town_;
  World& world_;
  SimPeers& members_;
  bool calm_ = false;
  std::int64_t left_ = 0;      // strokes
  std::int64_t pause_ms_ = 0;  // between two, at most
  std::vector<void (Trouble::*)()> kinds_;
};

}  // namespace souk::simulation
