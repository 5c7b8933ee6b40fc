#pragma once
/// Reads a store through in the background, slowly: a damaged block is found before it is needed.
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>

#include "events/result.h"

namespace souk {

struct ScrubPace {
  std::size_t step_bytes = 256 * 1024;
  std::chrono::milliseconds between_steps{250};  // with the step: 1 MiB a second
  std::chrono::milliseconds before_first{60'000};
  std::chrono::milliseconds between_passes{3'600'000};
};

/// Lifecycle: runs from its making to its end. A pass that cannot go on ends; the next begins after
/// the usual rest. Saying what was found is the store's business.
class Scrubber {
 public:
  /// Reads on by about that many bytes; true: it has come round.
  using Step = std::function<Result<bool, Fault>(std::size_t bytes)>;
  explicit Scrubber(Step step, const ScrubPace& pace = {});
  ~Scrubber();
  Scrubber(const Scrubber&) = delete;
  Scrubber& operator=(const Scrubber&) = delete;

 private:
  void run();

  const Step step_;
  const ScrubPace pace_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace souk
