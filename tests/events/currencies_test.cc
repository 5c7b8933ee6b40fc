#include "events/currencies.h"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

using namespace souk;

namespace {
Currency code(std::string_view text) { return *Currency::parse(text); }
Micros micros(const char* text) { return parse_decimal(text).value(); }
}  // namespace

TEST_CASE("currencies: an amount has the decimals of its currency, or more where it is finer") {
  CHECK(to_decimal(micros("1000"), code("JPY")) == "1000");
  CHECK(to_decimal(micros("10.5"), code("JPY")) == "10.5");
  CHECK(to_decimal(micros("1.234"), code("KWD")) == "1.234");
  CHECK(to_decimal(micros("1.2"), code("KWD")) == "1.200");
  CHECK(to_decimal(micros("12.5"), code("GBP")) == "12.50");
  CHECK(to_decimal(micros("12.345678"), code("GBP")) == "12.345678");
  CHECK(to_decimal(micros("1"), code("CLF")) == "1.0000");
  CHECK(to_decimal(micros("-7"), code("JPY")) == "-7");
  CHECK(to_decimal(micros("7"), Currency{}) == "7.00");
  CHECK(to_decimal(MicrosSum(1'234, 0), code("JPY")) == "1234");
  CHECK(to_decimal(MicrosSum(1'234, 500'000), code("JPY")) == "1234.5");
  CHECK(to_decimal(MicrosSum(-1'234, 0), code("BHD")) == "-1234.000");
}

TEST_CASE("currencies: digits are those of ISO 4217, also where CLDR and ICU show others") {
  struct Differs {
    const char* currency;
    int iso, cldr;
  };
  for (const auto& [currency, iso, cldr] :
       {Differs{"IQD", 3, 0}, Differs{"COP", 2, 0}, Differs{"HUF", 2, 0}, Differs{"IDR", 2, 0},
        Differs{"AFN", 2, 0}, Differs{"LBP", 2, 0}, Differs{"MGA", 2, 0}, Differs{"PKR", 2, 0},
        Differs{"YER", 2, 0}}) {
    CAPTURE(currency);
    CHECK(minor_digits(code(currency)) == iso);
    CHECK(minor_digits(code(currency)) != cldr);
  }
  for (const char* whole : {"JPY", "KRW", "VND", "CLP", "ISK", "UGX", "XAF", "UYI"})
    CHECK(minor_digits(code(whole)) == 0);
  for (const char* three : {"KWD", "BHD", "JOD", "OMR", "TND", "LYD"})
    CHECK(minor_digits(code(three)) == 3);
  CHECK(minor_digits(code("UYW")) == 4);
}

TEST_CASE("currencies: history of withdrawn ones keeps their digits") {
  CHECK(minor_digits(code("ITL")) == 0);
  CHECK(minor_digits(code("BYR")) == 0);
  CHECK(minor_digits(code("HRK")) == 2);
  CHECK(minor_digits(code("ABC")) == 2);
}

TEST_CASE("currencies: what cannot be paid is refused, with what can be") {
  for (const char* good : {"GBP", "EUR", "JPY", "XCG", "ZWG", "SLE", "VED", "CHE", "XOF"}) {
    CAPTURE(good);
    CHECK(why_not_payable(good).empty());
    CHECK(can_be_paid(code(good)));
  }
  struct Refused {
    const char* code;
    const char* instead;
  };
  for (const auto& [text, instead] :
       {Refused{"GPB", "GBP"}, Refused{"UDS", "USD"}, Refused{"ERU", "EUR"}, Refused{"BGN", "EUR"},
        Refused{"HRK", "EUR"}, Refused{"ZWL", "ZWG"}, Refused{"ANG", "XCG"}, Refused{"SLL", "SLE"},
        Refused{"ZZZ", "ZAR"}, Refused{"XXX", "X"}, Refused{"XAU", "XAD"}, Refused{"gbp", "GBP"},
        Refused{"pounds", "GBP"}, Refused{"", "GBP"}, Refused{"CNH", "CN"}}) {
    CAPTURE(text);
    const std::string why = why_not_payable(text);
    CAPTURE(why);
    CHECK(why.find(instead) != std::string::npos);
  }
  CHECK_FALSE(can_be_paid(code("BGN")));
  CHECK_FALSE(can_be_paid(code("XAU")));
  CHECK_FALSE(can_be_paid(Currency{}));
}

TEST_CASE("currencies: rounding to minor units is half to even, on both sides of zero") {
  const auto whole = [](const char* amount) {
    return to_decimal(*to_minor_units(micros(amount), code("JPY")), code("JPY"));
  };
  CHECK(whole("0.5") == "0");
  CHECK(whole("1.5") == "2");
  CHECK(whole("2.5") == "2");
  CHECK(whole("2.500001") == "3");
  CHECK(whole("-0.5") == "0");
  CHECK(whole("-1.5") == "-2");
  CHECK(whole("-2.5") == "-2");
  CHECK(whole("-2.500001") == "-3");
  CHECK(to_minor_units(micros("12.345"), code("GBP")) == micros("12.34"));
  CHECK(to_minor_units(micros("12.335"), code("GBP")) == micros("12.34"));
  CHECK_FALSE(to_minor_units({std::numeric_limits<std::int64_t>::max()}, code("JPY")));
  CHECK_FALSE(to_minor_units({std::numeric_limits<std::int64_t>::min()}, code("JPY")));
}
