#pragma once
/// How many seats each node should have.
#include <cstdint>
#include <vector>

namespace souk::cluster {

/// A share need not be whole: it lies from `least` to `most`, which are equal or differ by one.
struct Share {
  std::uint32_t least = 0;
  std::uint32_t most = 0;
};

struct Claimant {
  std::uint32_t weight = 1;  // at least 1
  std::uint32_t bound = 0;   // seats that it has whatever its weight: its pins
};

/// Divides `seats` by weight. Who has more bound than that has just those, and the others divide
/// the rest. No claimants: none. REQUIRES: no more is bound than there are seats.
std::vector<Share> shares_of(std::uint64_t seats, const std::vector<Claimant>& claimants);

}  // namespace souk::cluster
