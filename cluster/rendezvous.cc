#include "cluster/rendezvous.h"

#include <array>
#include <bit>
#include <string_view>

#include "events/ids.h"
#include "events/result.h"

namespace souk::cluster {
namespace {

__extension__ typedef unsigned __int128 Wide;

constexpr unsigned segments_bits = 8;
constexpr std::size_t segments = 1U << segments_bits;

constexpr std::uint64_t product(std::uint64_t a, std::uint64_t b, unsigned shift) {
  return static_cast<std::uint64_t>(static_cast<Wide>(a) * b >> shift);
}

/// log2 of `mantissa` / 2^63, which is 1 to 2, bit by bit. Units: 2^-56.
constexpr std::uint64_t log2_by_squares(std::uint64_t mantissa) {
  std::uint64_t result = 0;
  for (int bit = 55; bit >= 0; --bit) {
    const Wide square = static_cast<Wide>(mantissa) * mantissa;  // 1 to 4, by 2^126
    const bool two = (square >> 127) != 0;
    mantissa = static_cast<std::uint64_t>(square >> (two ? 64 : 63));
    if (two) result |= 1ULL << bit;
  }
  return result;
}

/// Of the point where each segment of [1, 2) begins: its logarithm, and 2^63 divided by it.
struct Segment {
  std::uint64_t log2;
  std::uint64_t inverse;
};
constexpr std::array<Segment, segments> table = [] {
  std::array<Segment, segments> made{};
  for (std::uint64_t i = 0; i < segments; ++i) {
    const std::uint64_t begin = (segments + i) << (63 - segments_bits);
    made[i].log2 = log2_by_squares(begin);
    made[i].inverse = static_cast<std::uint64_t>((static_cast<Wide>(1) << 126) / begin);
  }
  return made;
}();

constexpr std::uint64_t log2_of_e = 0xB8AA3B295C17F0BCULL;  // by 2^63

std::uint64_t seed(char kind, std::uint32_t number) {
  char bytes[5] = {kind};
  for (unsigned i = 0; i < 4; ++i) bytes[1 + i] = static_cast<char>(number >> (8 * i) & 0xFF);
  return stable_hash({bytes, sizeof bytes});
}

}  // namespace

std::uint64_t minus_log2(std::uint64_t hash) {
  if (hash == 0) hash = 1;
  const auto zeros = static_cast<unsigned>(std::countl_zero(hash));
  const std::uint64_t mantissa = hash << zeros;
  const Segment& segment = table[mantissa >> (63 - segments_bits) & (segments - 1)];
  // mantissa = begin * (1 + r), and log2(1 + r) = (r - r^2 / 2 + r^3 / 3) / ln 2.
  const std::uint64_t rest = mantissa & ((1ULL << (63 - segments_bits)) - 1);
  const std::uint64_t r = product(rest, segment.inverse, 63);
  const std::uint64_t r2 = product(r, r, 63);
  const std::uint64_t natural = r - r2 / 2 + product(r2, r, 63) / 3;
  const std::uint64_t log2 = segment.log2 + product(natural, log2_of_e, 63 + 7);
  const std::uint64_t whole = static_cast<std::uint64_t>(zeros + 1) << 56;
  return log2 < whole ? whole - log2 : 0;
}

std::uint64_t node_seed(std::uint32_t node) { return seed('n', node); }
std::uint64_t shard_seed(std::uint32_t shard) { return seed('s', shard); }

std::uint64_t inverse_of_weight(std::uint32_t weight) {
  SOUK_ASSERT(weight >= 1 && weight <= weight_max);
  return (1ULL << 63) / weight;
}

std::uint64_t cost(std::uint64_t node_seed, std::uint64_t inverse_weight,
                   std::uint64_t shard_seed) {
  return product(minus_log2(mixed(node_seed ^ shard_seed)), inverse_weight, 63);
}

}  // namespace souk::cluster
