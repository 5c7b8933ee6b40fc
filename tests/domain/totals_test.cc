#include "domain/order/totals.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <limits>

#include "events/currencies.h"

using namespace souk;

namespace {
Currency code(const char* text) { return *Currency::parse(text); }
Micros micros(const char* text) { return parse_decimal(text).value(); }
OrderTotal charged(const char* goods, const char* currency) {
  return total_of(micros(goods), code(currency), Charged::now).value();
}
}  // namespace

TEST_CASE(
    "totals: what is charged is whole minor units, half to even, with the difference beside") {
  CHECK(charged("10.50", "JPY").total == micros("10"));
  CHECK(charged("11.50", "JPY").total == micros("12"));
  CHECK(charged("12.345", "GBP").total == micros("12.34"));
  CHECK(charged("12.355", "GBP").total == micros("12.36"));
  CHECK(charged("12.345001", "GBP").total == micros("12.35"));
  CHECK(charged("1.2345", "KWD").total == micros("1.234"));
  CHECK(charged("1.23455", "CLF").total == micros("1.2346"));
  CHECK(charged("0.004", "GBP").total == Micros{0});
  const auto half = charged("10.50", "JPY").adjustments;
  REQUIRE(half.size() == 1);
  CHECK(half[0] == Adjustment{Adjustment::Kind::rounding, micros("-0.50")});
  CHECK(charged("12.34", "GBP").adjustments.empty());
}

TEST_CASE("totals: history stays as it was paid") {
  const auto kept = total_of(micros("0.001"), code("GBP"), Charged::before);
  REQUIRE(kept);
  CHECK(kept->total == micros("0.001"));
  CHECK(kept->adjustments.empty());
}

TEST_CASE("totals: a total that does not fit is none") {
  CHECK_FALSE(total_of({std::numeric_limits<std::int64_t>::max()}, code("JPY"), Charged::now));
}

TEST_CASE(
    "totals: returns in any parts pay whole minor units, never more than was paid, all in all") {
  CHECK(rc::check([] {
    const Currency currency = *rc::gen::element(code("JPY"), code("GBP"), code("KWD"));
    const auto parts = *rc::gen::container<std::vector<std::int64_t>>(
        rc::gen::inRange<std::int64_t>(0, 100'000'000));
    std::int64_t goods = 0;
    for (const auto part : parts) goods += part;
    const auto total = total_of({goods}, currency, Charged::now)->total;
    std::int64_t returned = 0, paid = 0;
    for (const auto part : parts) {
      returned += part;
      const auto all = paid_back_for({returned}, {goods}, total, currency, Charged::now);
      RC_ASSERT(all.value >= paid);
      RC_ASSERT(all <= total);
      RC_ASSERT(to_minor_units(all, currency) == all);
      paid = all.value;
    }
    RC_ASSERT(parts.empty() || paid == total.value);
  }));
}
