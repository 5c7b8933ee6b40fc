#include "events/journal/scrubber.h"

#include <doctest/doctest.h>

#include <atomic>

using namespace souk;

TEST_CASE("scrubber: it goes on step by step, begins anew, and ends at once") {
  std::atomic<int> steps{0}, passes{0};
  {
    Scrubber scrubber(
        [&](std::size_t bytes) -> Result<bool, Fault> {
          CHECK(bytes == 10);
          const int step = ++steps;
          if (step == 5) return Fault{Fault::Kind::corrupt, "a block"};
          if (step % 3 != 0) return false;
          ++passes;
          return true;
        },
        {.step_bytes = 10, .between_steps = {}, .before_first = {}, .between_passes = {}});
    while (passes < 4) std::this_thread::yield();
  }
  const int at_the_end = steps;
  CHECK(at_the_end >= 12);
  std::this_thread::yield();
  CHECK(steps == at_the_end);
}
