#include "events/money_sum.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <limits>

using namespace souk;

namespace {

__extension__ typedef __int128 Wide;
Wide wide(const MicrosSum& sum) { return Wide{sum.units()} * 1'000'000 + sum.millionths(); }

}  // namespace

TEST_CASE("sum of amounts: it is the integer sum, in any order, with one form for each value") {
  CHECK(rc::check([](const std::vector<std::int64_t>& amounts) {
    Wide expected = 0;
    MicrosSum forwards, backwards;
    for (const std::int64_t a : amounts) {
      expected += a;
      forwards += Micros{a};
    }
    for (auto a = amounts.rbegin(); a != amounts.rend(); ++a) backwards += Micros{*a};
    RC_ASSERT(wide(forwards) == expected);
    RC_ASSERT(forwards == backwards);
    RC_ASSERT(forwards.millionths() >= 0 && forwards.millionths() < 1'000'000);
    RC_ASSERT(wide(-forwards) == -expected);
  }));
}

TEST_CASE("sum of amounts: order and decimals are those of an amount") {
  CHECK(rc::check([](std::int64_t a, std::int64_t b) {
    RC_ASSERT((MicrosSum(Micros{a}) < MicrosSum(Micros{b})) == (a < b));
    RC_ASSERT(to_decimal(MicrosSum(Micros{a})) == to_decimal(Micros{a}));
  }));
}

TEST_CASE("sum of amounts: beyond 64 bits") {
  constexpr Micros most{std::numeric_limits<std::int64_t>::max()};
  constexpr Micros least{std::numeric_limits<std::int64_t>::min()};
  MicrosSum sum = most;
  sum += most;
  CHECK(to_decimal(sum) == "18446744073709.551614");
  CHECK(to_decimal(-sum) == "-18446744073709.551614");
  sum = least;
  sum += least;
  CHECK(to_decimal(sum) == "-18446744073709.551616");
  CHECK(to_decimal(MicrosSum(Micros{-500'000})) == "-0.50");
}
