#pragma once
/// Products bought together. Each product's orders are a bitmap, each order's products a list; what
/// comes out is exact, and products too rare to be among the first are not looked at.
#include <memory>
#include <mutex>
#include <vector>

#include "projections/analytics/analytics.h"
#include "projections/analytics/sqlite.h"

namespace souk::analytics {

/// Thread: any; one query at a time, the others wait.
class PairIndex {
 public:
  PairIndex();
  ~PairIndex();
  /// Reads what was committed since the last time, then counts.
  PairsReport most_frequent(Readers& readers, std::size_t limit);

 private:
  struct State;
  std::mutex mutex_;
  std::unique_ptr<State> state_;
};

}  // namespace souk::analytics
