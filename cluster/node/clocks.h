#pragma once
/// The clocks of a node's own thread. Who decides is given the time.
#include <chrono>
#include <functional>

#include "cluster/control/heartbeat.h"
#include "events/time.h"

namespace souk::cluster {

inline SteadyMs steady_now() {
  using namespace std::chrono;
  return {duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count()};
}

inline UnixMs wall_now() {
  using namespace std::chrono;
  return UnixMs{duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count()};
}

/// This machine's; a simulation brings others.
struct Clocks {
  std::function<SteadyMs()> steady = &steady_now;
  std::function<UnixMs()> wall = &wall_now;
};

}  // namespace souk::cluster
