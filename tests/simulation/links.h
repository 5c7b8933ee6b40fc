#pragma once
/// What goes wrong between shards: their messages get lost, come late or twice.
#include <vector>

#include "actors/host/host_core.h"
#include "tests/simulation/world.h"

namespace souk::simulation {

/// In percent of the messages.
struct PeerFaults {
  int lost = 0, late = 0, twice = 0;
};

/// Of one life of a node: what is under way when it ends is gone with it.
class SimLinks final : public PeerLinks {
 public:
  /// REQUIRES: `faults` and `core` live until the links' end.
  SimLinks(World& world, const PeerFaults& faults, HostCore& core)
      : world_(world), faults_(faults), core_(core) {}
  bool take(Envelope& message) override;

 private:
  void later(Envelope&& message);

  World& world_;
  const PeerFaults& faults_;
  HostCore& core_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace souk::simulation
