#pragma once
/// What all actors of a node do alike: none of them dies alone, and each shows that it is busy.
#include <chrono>

#include "actors/host/messages.h"

namespace souk {

/// Units: milliseconds of the steady clock.
inline std::int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// An exception in one of `self`'s handlers, or an end that nobody asked for, is logged and ends
/// the process: a node without one of its actors would leave its clients waiting, and a start
/// replays all that was acknowledged.
void fail_stop(caf::scheduled_actor* self, const char* name);

/// While it lives, the actor is busy.
class Busy {
 public:
  explicit Busy(ActorPulse& pulse) : pulse_(pulse) { pulse_.begin(steady_ms()); }
  ~Busy() { pulse_.end(); }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  ActorPulse& pulse_;
};

}  // namespace souk
