#include "projections/runner/compare.h"

#include <algorithm>

namespace souk {

Result<Comparison, Fault> compare_at_one_place(Follower& live, Follower& fresh,
                                               const std::atomic<bool>& stop) {
  std::vector<Seq> targets = live.positions();
  const std::vector<Seq> reached = fresh.positions();
  for (std::size_t i = 0; i < targets.size(); ++i) targets[i] = std::max(targets[i], reached[i]);
  if (auto status = fresh.run_to(targets, stop); !status.ok()) return status.error();
  if (!live.ledger().stale.empty()) return Comparison::impossible;
  if (auto status = live.run_to(targets, stop); !status.ok()) return Comparison::impossible;
  if (!fresh.ledger().stale.empty()) return Comparison::impossible;
  const auto before = live.model()->digest();
  const auto now = fresh.model()->digest();
  if (!before.ok() || !now.ok()) return Comparison::impossible;
  return *before == *now ? Comparison::equal : Comparison::differs;
}

}  // namespace souk
