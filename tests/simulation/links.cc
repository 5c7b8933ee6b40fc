#include "tests/simulation/links.h"

#include "domain/inventory/fences.h"

namespace souk::simulation {
namespace {
constexpr std::int64_t late_ms_max = 3'000;
constexpr std::int64_t very_late_ms_max = 4 * fence_kept_ms;
constexpr int copies_max = 3;
}  // namespace

bool SimLinks::take(Envelope& message) {
  for (int copies = 0; copies < copies_max && world_.chance(faults_.twice); ++copies)
    later(Envelope(message));
  if (world_.chance(faults_.lost)) return true;
  if (!world_.chance(faults_.late)) return false;
  later(std::move(message));
  return true;
}

void SimLinks::later(Envelope&& message) {
  const std::int64_t most = world_.chance(faults_.very_late) ? very_late_ms_max : late_ms_max;
  world_.after(world_.between(1, most), [this, late = std::move(message)]() mutable {
    if (core_) core_->input(std::move(late));
  });
}

}  // namespace souk::simulation
