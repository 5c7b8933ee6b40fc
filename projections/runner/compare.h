#pragma once
#include "projections/runner/follower.h"

namespace souk {

enum class Comparison {
  equal,
  differs,
  impossible,  // one of them has stale entities, or `live` cannot be read
};

/// Brings both exactly to the same place, the further one's, and compares what they are there:
/// the end of a rebuild. Both are committed.
/// Errors: of `fresh`, and unavailable when it is stopped. An error of `live` makes the comparison
///         impossible; it must then be opened again before it is used.
/// Thread: that of both.
Result<Comparison, Fault> compare_at_one_place(Follower& live, Follower& fresh,
                                               const std::atomic<bool>& stop);

}  // namespace souk
