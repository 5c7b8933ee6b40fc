#pragma once
/// Reads a store through in the background, slowly: a damaged block is found before it is needed.
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "events/result.h"

namespace souk {

struct ScrubPace {
  std::size_t step_bytes = 256 * 1024;
  std::chrono::milliseconds between_steps{250};  // with the step: 1 MiB a second
  std::chrono::milliseconds before_first{60'000};
  std::chrono::milliseconds between_passes{3'600'000};
};

/// Several stores, one after the other: through all of them once is one pass.
class ScrubInTurn {
 public:
  using Step = std::function<Result<bool, Fault>(std::size_t bytes)>;
  explicit ScrubInTurn(std::vector<Step> stores) : stores_(std::move(stores)) {}
  Result<bool, Fault> operator()(std::size_t bytes) {
    const auto through = stores_[at_](bytes);
    if (through.ok() && !*through) return false;
    at_ = (at_ + 1) % stores_.size();  // also where one cannot be read any further
    return at_ == 0;
  }

 private:
  std::vector<Step> stores_;
  std::size_t at_ = 0;
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
