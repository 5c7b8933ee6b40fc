#include "events/money.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <limits>

using namespace souk;

namespace {
constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
Micros micros(const char* text) { return parse_decimal(text).value(); }
}  // namespace

TEST_CASE("money: 12.345 times 2 is 24.69") {
  CHECK(to_decimal(*multiply(micros("12.345"), 2)) == "24.69");
}

TEST_CASE("money: amounts have at least two decimals and no needless zeros") {
  CHECK(to_decimal({0}) == "0.00");
  CHECK(to_decimal({12'500'000}) == "12.50");
  CHECK(to_decimal({12'000'000}) == "12.00");
  CHECK(to_decimal({12'345'000}) == "12.345");
  CHECK(to_decimal({-1}) == "-0.000001");
  CHECK(to_decimal({-12'340'000}) == "-12.34");
  CHECK(to_decimal({100}) == "0.0001");
  CHECK(to_decimal({most}) == "9223372036854.775807");
  CHECK(to_decimal({least}) == "-9223372036854.775808");
}

TEST_CASE("money: append_decimal leaves what was there") {
  std::string text = "x=";
  append_decimal(text, {1'500'000});
  CHECK(text == "x=1.50");
}

TEST_CASE("money: every amount is read back from its decimals") {
  CHECK(rc::check(
      [](std::int64_t value) { RC_ASSERT(parse_decimal(to_decimal({value})) == Micros{value}); }));
  CHECK(micros("9223372036854.775807").value == most);
  CHECK(micros("-9223372036854.775808").value == least);
}

TEST_CASE("money: decimals of any length up to six are read") {
  CHECK(micros("0").value == 0);
  CHECK(micros("-0").value == 0);
  CHECK(micros("7").value == 7'000'000);
  CHECK(micros("0.5").value == 500'000);
  CHECK(micros("0.000001").value == 1);
  CHECK(micros("10.10").value == 10'100'000);
}

TEST_CASE("money: what is not a decimal is refused") {
  for (const char* text :
       {"",   "-",   ".",         "1.",    ".5", "-.5", "+1",  "1e3",  "0x1", "1,5", " 1",
        "1 ", "--1", "1.0000000", "1.2.3", "00", "01",  "-01", "1.-5", "NaN", "inf", "\xD9\xA1"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_decimal(text));
  }
  CHECK_FALSE(parse_decimal(std::string_view("1\0", 2)));
}

TEST_CASE("money: what does not fit 64 bits is refused") {
  CHECK_FALSE(parse_decimal("9223372036854.775808"));
  CHECK_FALSE(parse_decimal("-9223372036854.775809"));
  CHECK_FALSE(parse_decimal("9223372036855"));
  CHECK_FALSE(parse_decimal("18446744073709.551616"));  // 2^64 millionths: 0 if it wrapped
  CHECK_FALSE(parse_decimal("18446744073709551616"));
  CHECK_FALSE(parse_decimal(std::string(1000, '9')));
}

TEST_CASE("money: arithmetic says when it would overflow") {
  CHECK(add({most - 1}, {1}) == Micros{most});
  CHECK_FALSE(add({most}, {1}));
  CHECK_FALSE(add({least}, {-1}));
  CHECK(subtract({least + 1}, {1}) == Micros{least});
  CHECK_FALSE(subtract({least}, {1}));
  CHECK_FALSE(subtract({0}, {least}));
  CHECK(multiply({most / 2}, 2) == Micros{most - 1});
  CHECK_FALSE(multiply({most / 2 + 1}, 2));
  CHECK_FALSE(multiply({least}, -1));
}

TEST_CASE("money: arithmetic agrees with 128 bits") {
  CHECK(rc::check([](std::int64_t a, std::int64_t b) {
    __extension__ using Wide = __int128;
    const auto fits = [](Wide x) { return x >= least && x <= most; };
    const Wide sum = Wide{a} + b;
    const Wide product = Wide{a} * b;
    RC_ASSERT(add({a}, {b}).has_value() == fits(sum));
    RC_ASSERT(multiply({a}, b).has_value() == fits(product));
    if (fits(sum)) RC_ASSERT(Wide{add({a}, {b})->value} == sum);
    if (fits(product)) RC_ASSERT(Wide{multiply({a}, b)->value} == product);
  }));
}

TEST_CASE("currencies: three capital letters and nothing else") {
  CHECK(Currency::parse("GBP")->text() == "GBP");
  CHECK(Currency().none());
  CHECK(Currency().text() == "");
  for (const char* text : {"", "GB", "GBPP", "gbp", "GB1", "G P", "\xC3\x84P"}) {
    CAPTURE(text);
    CHECK_FALSE(Currency::parse(text));
  }
}
