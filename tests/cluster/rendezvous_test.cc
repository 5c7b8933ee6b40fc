#include "cluster/rendezvous.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "cluster/shares.h"

using namespace souk::cluster;

TEST_CASE("rendezvous: the logarithm in whole numbers is the logarithm") {
  std::mt19937_64 random(20261201);
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t hash = random() >> (i % 64);
    if (hash == 0) continue;
    const double expected = 64 - std::log2(static_cast<double>(hash));
    const double found = std::ldexp(static_cast<double>(minus_log2(hash)), -56);
    REQUIRE(std::abs(found - expected) < 2.5e-10);
  }
  CHECK(minus_log2(0) == minus_log2(1));
  CHECK(minus_log2(1) == 64ULL << 56);
  CHECK(minus_log2(UINT64_MAX) < 1ULL << 24);
}

TEST_CASE("rendezvous: costs are the same for ever") {
  CHECK(node_seed(1) == 4594585379816473440ULL);
  CHECK(shard_seed(1) == 15621256423922139415ULL);
  CHECK(cost(node_seed(7), inverse_of_weight(3), shard_seed(1'000)) == 104005339905093304ULL);
}

TEST_CASE("rendezvous: the quick bound is never above the cost") {
  for (std::uint32_t node = 1; node <= 50; ++node) {
    const std::uint64_t inverse = inverse_of_weight(1 + node * node * 3);
    for (std::uint32_t shard = 0; shard < 2'000; ++shard) {
      const std::uint64_t bound = least_cost(node_seed(node), inverse, shard_seed(shard));
      REQUIRE(bound <= cost(node_seed(node), inverse, shard_seed(shard)));
    }
  }
}

TEST_CASE("rendezvous: a node is the first choice as often as its weight says") {
  const std::uint32_t weights[] = {1, 2, 5, 100};
  std::uint32_t first[4] = {};
  for (std::uint32_t shard = 0; shard < 65'536; ++shard) {
    std::uint32_t best = 0;
    std::uint64_t best_cost = UINT64_MAX;
    for (std::uint32_t i = 0; i < 4; ++i) {
      const std::uint64_t price =
          cost(node_seed(i + 1), inverse_of_weight(weights[i]), shard_seed(shard));
      if (price < best_cost) best = i, best_cost = price;
    }
    ++first[best];
  }
  for (std::uint32_t i = 0; i < 4; ++i) {
    const double expected = 65'536.0 * weights[i] / 108;
    CHECK(std::abs(first[i] - expected) < 4 * std::sqrt(expected));
  }
}

TEST_CASE("shares: who has more bound than its share has just that, and others divide the rest") {
  const auto shares = shares_of(64, {{1, 0}, {1, 40}, {2, 0}});
  CHECK(shares[0].least == 8);
  CHECK(shares[0].most == 8);
  CHECK(shares[1].least == 40);
  CHECK(shares[1].most == 40);
  CHECK(shares[2].least == 16);
  const auto thirds = shares_of(64, {{1, 0}, {1, 0}, {1, 21}});
  for (const Share& share : thirds) {
    CHECK(share.least == 21);
    CHECK(share.most == 22);
  }
  // The first is full only when the second has taken what is its own.
  const auto chain = shares_of(30, {{1, 9}, {1, 15}, {1, 0}});
  CHECK(chain[0].most == 9);
  CHECK(chain[1].most == 15);
  CHECK(chain[2].most == 6);
}
