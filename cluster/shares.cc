#include "cluster/shares.h"

#include <cstddef>

namespace souk::cluster {

std::vector<Share> shares_of(std::uint64_t seats, const std::vector<Claimant>& claimants) {
  std::vector<Share> shares(claimants.size());
  std::vector<bool> full(claimants.size());
  std::uint64_t weights = 0;
  for (const Claimant& claimant : claimants) weights += claimant.weight;
  // Who is full leaves less to the others, so that another may be: at most a round for each.
  for (bool again = true; again;) {
    again = false;
    for (std::size_t i = 0; i < claimants.size(); ++i) {
      const Claimant& claimant = claimants[i];
      if (full[i] || claimant.bound * weights <= seats * claimant.weight) continue;
      full[i] = again = true;
      seats -= claimant.bound;
      weights -= claimant.weight;
      shares[i] = {claimant.bound, claimant.bound};
    }
  }
  for (std::size_t i = 0; i < claimants.size(); ++i) {
    if (full[i]) continue;
    const std::uint64_t part = seats * claimants[i].weight;
    shares[i] = {static_cast<std::uint32_t>(part / weights),
                 static_cast<std::uint32_t>((part + weights - 1) / weights)};
  }
  return shares;
}

}  // namespace souk::cluster
