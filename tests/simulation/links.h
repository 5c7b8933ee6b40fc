#pragma once
/// What goes wrong between shards: their messages get lost, come late, in another order or more
/// than once, also to a node that has started again since.
#include <memory>

#include "actors/host/host_core.h"
#include "tests/simulation/world.h"

namespace souk::simulation {

/// In percent of the messages.
struct PeerFaults {
  int lost = 0, late = 0, twice = 0;
  int very_late = 0;  // of those that are late: when nothing is known of an order any more
};

/// Between the nodes' lives it keeps what is under way, as a network does.
class SimLinks final : public PeerLinks {
 public:
  SimLinks(World& world, const PeerFaults& faults) : world_(world), faults_(faults) {}
  SimLinks(const SimLinks&) = delete;

  bool take(Envelope& message) override;
  /// To any host of the node that lives now; none: what comes is lost.
  void connect(HostCore* core) { core_ = core; }
  /// Nothing goes wrong any more, except for what is under way.
  void calm_down() { faults_ = {}; }

 private:
  void later(Envelope&& message);

  World& world_;
  PeerFaults faults_;
  HostCore* core_ = nullptr;
};

}  // namespace souk::simulation
