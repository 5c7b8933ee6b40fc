#pragma once
/// Time and randomness of the machine.
#include <chrono>

#include "actors/ports/randomness.h"
#include "events/time.h"

namespace souk {

/// Reads the wall clock once, then goes by the steady clock: it never goes back, also where the
/// machine's clock is set back while it runs, or was since the last event was written.
class SystemClock final : public Clock {
 public:
  using Steady = std::chrono::steady_clock;
  /// Starts at the wall clock's time, or at `floor` (the time of the last event) where that is
  /// later.
  explicit SystemClock(UnixMs floor);
  /// As above with a start known to the caller.
  SystemClock(UnixMs floor, UnixMs wall, Steady::time_point steady);
  /// Thread: any.
  UnixMs now() override { return at(Steady::now()); }
  UnixMs at(Steady::time_point steady) const;
  /// The machine's wall clock: may be anything.
  static UnixMs wall_now();

 private:
  const UnixMs start_;
  const Steady::time_point steady_start_;
};

/// libsodium's generator behind a buffer per thread.
/// REQUIRES: the process does not fork (a child would repeat the bytes of its parent).
class SystemRandomness final : public Randomness {
 public:
  SystemRandomness();
  /// Thread: any.
  void fill(void* bytes, std::size_t count) override;
};

}  // namespace souk
