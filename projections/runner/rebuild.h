#pragma once
/// What the runner and its rebuilds share; for the .cc files of this folder.
#include "projections/runner/reader_thread.h"
#include "projections/runner/runner.h"

namespace souk {

/// After a failure nothing is tried before this.
constexpr std::chrono::milliseconds retry_after{500};
/// Twice as long after each failure that follows, up to this.
constexpr std::chrono::milliseconds retry_after_max{4'000};

/// A second copy, built on a thread of its own.
struct ProjectionRunner::Builder {
  std::uint64_t generation = 0;
  std::atomic<bool> stop{false};
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> applied{0};
  std::shared_ptr<Follower> follower;  // the thread's until done
  std::shared_ptr<Condemned> condemned = std::make_shared<Condemned>();
  std::optional<Fault> fault;
  Clock::time_point began = Clock::now();
  std::thread thread;
};

}  // namespace souk
