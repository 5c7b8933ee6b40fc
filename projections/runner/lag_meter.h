#pragma once
/// How old what queries see is: since when not all that was durable is visible.
#include <chrono>
#include <deque>
#include <vector>

#include "events/ids.h"

namespace souk {

/// Remembers where the log ended at some times, the farther apart the older it gets: some hundreds
/// in a day, and the age is too great by 5 ms or a thirtieth. Thread: one at a time.
class LagMeter {
 public:
  using Time = std::chrono::steady_clock::time_point;
  /// Nothing is known of what was durable before `start`: it counts as durable since then.
  explicit LagMeter(Time start) : as_of_(start) {}

  /// The log ended at `ends` (by shard). REQUIRES: `now` is not before an earlier mark's.
  void mark(Time now, const std::vector<Seq>& ends);
  /// Queries see up to `visible`.
  void reached(const std::vector<Seq>& visible);
  /// All that was durable at this time is visible.
  Time as_of() const { return as_of_; }

 private:
  struct Mark {
    Time at;
    std::vector<Seq> ends;
  };
  Time as_of_;
  std::deque<Mark> marks_;
};

}  // namespace souk
