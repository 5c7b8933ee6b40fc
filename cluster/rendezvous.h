#pragma once
/// Weighted rendezvous hashing: every node has a *cost* for every shard, and the cheapest is the
/// first choice. A node of weight w is it for w out of all weights, and a node more or less changes
/// nothing between the others.
///
/// The cost is -log2(h / 2^64) / w, the order of the well-known -w / ln(h). It is computed in whole
/// numbers: the last bits of std::log differ between processors, and with them the choice.
///
/// Source: Schindelhauer and Schomaker, "Weighted distributed hash tables", 2005.
#include <cstdint>

namespace souk::cluster {

inline constexpr std::uint32_t weight_max = 10'000;

/// -log2(hash / 2^64), of 0 as of 1. Units: 2^-56. Errors: below 2^-32.
std::uint64_t minus_log2(std::uint64_t hash);

/// A node's or a shard's part of the hash: stable, XXH3.
std::uint64_t node_seed(std::uint32_t node);
std::uint64_t shard_seed(std::uint32_t shard);

/// Of SplitMix64: each bit of the input changes each of the output half of the time.
inline std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ x >> 27) * 0x94D049BB133111EBULL;
  return x ^ x >> 31;
}

/// What `cost` divides by. REQUIRES: 1 to weight_max.
std::uint64_t inverse_of_weight(std::uint32_t weight);
std::uint64_t cost(std::uint64_t node_seed, std::uint64_t inverse_weight, std::uint64_t shard_seed);

/// No more than `cost`, at a fifth of its time: of a thousand nodes few need to be looked at more
/// closely. -log2(u) is at least 1 - u, and by 44% more where that is small.
inline std::uint64_t least_cost(std::uint64_t node_seed, std::uint64_t inverse_weight,
                                std::uint64_t shard_seed) {
  return (~mixed(node_seed ^ shard_seed) >> 36) * (inverse_weight >> 31) >> 4;
}

}  // namespace souk::cluster
