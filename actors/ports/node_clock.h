#pragma once
/// The clock of a node, which is told at each start where the log ends.
#include "events/time.h"

namespace souk {

class NodeClock : public Clock {
 public:
  /// The newest event of the log is of `newest`: no earlier time is given from here on.
  /// REQUIRES: before anything is stamped.
  virtual void begin_at(UnixMs newest) = 0;
};

}  // namespace souk
