#include "tools/souk/import/amounts.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace souk;
using namespace souk::cli;

namespace {

/// Micros of `text`, alone in its file; -1: it is refused.
std::int64_t alone(const std::string& text, char decimal = 0) {
  Amounts amounts(decimal, Amounts::Doubt::unclear);
  amounts.look_at(text);
  const Amount amount = amounts.read(text);
  return amount.wrong.empty() ? amount.value.value : -1;
}

constexpr std::int64_t unit = 1'000'000;

}  // namespace

TEST_CASE("amounts: what stands last of a point and a comma parts decimals") {
  CHECK(alone("1.234,50") == 1234 * unit + 500'000);
  CHECK(alone("1,234.50") == 1234 * unit + 500'000);
  CHECK(alone("1.234.567,5") == 1'234'567 * unit + 500'000);
  CHECK(alone("12.50") == 12 * unit + 500'000);
  CHECK(alone("12,5") == 12 * unit + 500'000);
  CHECK(alone("1.234.567") == 1'234'567 * unit);
  CHECK(alone("12,34,567.00") == 1'234'567 * unit);  // lakhs
  CHECK(alone("0,125") == 125'000);
  CHECK(alone(".5") == 500'000);
  CHECK(alone("0012.50") == 12 * unit + 500'000);
  CHECK(alone("7") == 7 * unit);
}

TEST_CASE("amounts: blanks of every kind and apostrophes part thousands") {
  CHECK(alone("1 234,50") == 1234 * unit + 500'000);
  CHECK(alone("1\u00A0234,50") == 1234 * unit + 500'000);
  CHECK(alone("1\u202F234 567,5") == 1'234'567 * unit + 500'000);
  CHECK(alone("1'234.50") == 1234 * unit + 500'000);
  CHECK(alone("12 50") == -1);
}

TEST_CASE("amounts: currencies stand in front or behind, not both") {
  const auto mark = [](const std::string& text) {
    const Amount amount = Amounts(0, Amounts::Doubt::unclear).read(text);
    CHECK(amount.wrong.empty());
    CHECK(amount.value.value == 12 * unit + 500'000);
    return amount.mark;
  };
  CHECK(mark("$12.50") == "$");
  CHECK(mark("$ 12.50") == "$");
  CHECK(mark("12,50 EUR") == "EUR");
  CHECK(mark("12,50\u20AC") == "\u20AC");
  CHECK(mark("GBP 12.50") == "GBP");
  CHECK(mark("'12.50") == "");
  CHECK(alone("$12.50 USD") == -1);
  CHECK(alone("12,-") == 12 * unit);
  CHECK(alone("-$5") == -5 * unit);
}

TEST_CASE("amounts: 1,234 is refused alone, and read as the column or the caller says") {
  CHECK(alone("1,234") == -1);
  CHECK(alone("1.234") == -1);
  CHECK(alone("1,234", '.') == 1234 * unit);
  CHECK(alone("1,234", ',') == 1'234'000);
  const auto beside = [](const std::vector<std::string>& column, const std::string& text) {
    Amounts amounts(0, Amounts::Doubt::unclear);
    for (const std::string& one : column) amounts.look_at(one);
    const Amount amount = amounts.read(text);
    return amount.wrong.empty() ? amount.value.value : -1;
  };
  CHECK(beside({"1,234", "12.50"}, "1,234") == 1234 * unit);
  CHECK(beside({"1,234", "12,50"}, "1,234") == 1'234'000);
  CHECK(beside({"1,234", "1,234,567"}, "1,234") == 1234 * unit);
  CHECK(beside({"12.50", "12,50"}, "1,234") == -1);  // they contradict each other
  CHECK(beside({"12.50", "12,50"}, "12,50") == 12 * unit + 500'000);
  Amounts feed(0, Amounts::Doubt::point);
  CHECK(feed.read("1.250").value == Micros{1'250'000});
  CHECK(feed.read("1,250").value == Micros{1250 * unit});
  CHECK(Amounts(0, Amounts::Doubt::unclear).read("1,234").wrong ==
        "\"1,234\" may mean 1234 or 1.234, and no other row tells; say --decimal . or --decimal ,");
}

TEST_CASE("amounts: what is none is refused, also where the caller says what parts decimals") {
  for (const std::string text :
       {"", "x", "1,2,3", "1.2.3,4,5", "1..2", "12,50,1.0", "1.0000001", "12x50"}) {
    CAPTURE(text);
    CHECK(alone(text) == -1);
  }
  CHECK(alone("12,50", '.') == -1);
  CHECK(alone("1.5", ',') == -1);
}

TEST_CASE("amounts: the currency's sign, its column and the caller must agree") {
  const auto code = [](std::string_view mark, std::string_view column, std::string_view given) {
    const PriceCurrency found = currency_of_price(mark, column, given, "GBP");
    return found.wrong.empty() ? found.code : "!" + found.wrong;
  };
  CHECK(code("", "", "") == "GBP");
  CHECK(code("", "", "EUR") == "EUR");
  CHECK(code("", "eur", "USD") == "EUR");
  CHECK(code("$", "", "") == "USD");
  CHECK(code("$", "", "CAD") == "CAD");
  CHECK(code("CA$", "", "") == "CAD");
  CHECK(code("usd", "", "") == "USD");
  CHECK(code("\u20AC", "", "GBP") == "!the price says \u20AC, --currency GBP");
  CHECK(code("$", "GBP", "") == "!the price says $, the column of currencies GBP");
  CHECK(code("", "DEM", "") == "!DEM is withdrawn and can no longer be paid; use EUR");
  CHECK(code("pcs.", "", "") == "!beside the price stands \"pcs.\", which is no currency");
}
