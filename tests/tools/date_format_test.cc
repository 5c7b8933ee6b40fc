#include "tools/souk/import/date_format.h"

#include <doctest/doctest.h>

using namespace souk;
using namespace souk::cli;

namespace {
constexpr UnixMs first_of_december{1'291'191'960'000};  // 2010-12-01 08:26
}

TEST_CASE("dates: an order of year, month and day reads whatever stands between") {
  const DateFormat year(DateFormat::Order::year_first), month(DateFormat::Order::month_first),
      day(DateFormat::Order::day_first);
  for (const char* text :
       {"2010-12-01 08:26:00", "2010-12-01T08:26", "2010/12/1 8:26", "2010-12-01 08:26:00.123"})
    CHECK(year.read(text) == first_of_december);
  for (const char* text :
       {"12/1/2010 8:26", "12/01/2010 08:26:00", "12/1/10 8:26", "12/1/2010 8:26 AM"})
    CHECK(month.read(text) == first_of_december);
  for (const char* text : {"01.12.2010 08:26", "1/12/2010 8:26", "1-12-10 8:26"})
    CHECK(day.read(text) == first_of_december);
  CHECK(month.read("12/1/2010 12:00 AM") == month.read("12/1/2010"));
  CHECK(month.read("12/1/2010 8:26 PM")->value - first_of_december.value == 12 * 3'600'000);
}

TEST_CASE("dates: what is none is none") {
  const DateFormat year(DateFormat::Order::year_first), month(DateFormat::Order::month_first);
  for (const char* text :
       {"", "2010", "2010-13-01 08:26", "2010-02-30 08:26", "2010-12/01 08:26", "12/1/2010 8:26",
        "2010-12-01 08", "2010-12-01 8:26 xm", "2010-12-01 13:26 pm", "2010-12-01x08:26"}) {
    CAPTURE(text);
    CHECK_FALSE(year.read(text));
  }
  CHECK_FALSE(month.read("2010-12-01 08:26"));
  CHECK_FALSE(month.read("13/1/2010 08:26"));
}

TEST_CASE("dates: a pattern or a date of the file says the order") {
  const auto order = [](const char* text) { return DateFormat::parse(text)->order(); };
  CHECK(order("%m/%d/%Y %H:%M") == DateFormat::Order::month_first);
  CHECK(order("dd.MM.yyyy HH:mm") == DateFormat::Order::day_first);
  CHECK(order("yyyy-MM-dd HH:mm:ss") == DateFormat::Order::year_first);
  CHECK(order("2010-12-01 08:26:00") == DateFormat::Order::year_first);
  CHECK(order("12/1/2010 8:26") == DateFormat::Order::month_first);
  CHECK(order("13/1/2010 8:26") == DateFormat::Order::day_first);
  CHECK(order("01.12.2010 08:26") == DateFormat::Order::day_first);
  CHECK_FALSE(DateFormat::parse("whenever"));
}

TEST_CASE("dates: the dates of a file tell together") {
  DateOrder order;
  order.look_at("12/1/2010 8:26");
  CHECK_FALSE(order.format());
  order.look_at("12/13/2010 8:26");
  REQUIRE(order.format());
  CHECK(order.format()->order() == DateFormat::Order::month_first);
  order.look_at("InvoiceDate");
  CHECK(order.format());
  order.look_at("13/12/2010 8:26");
  CHECK_FALSE(order.format());
}
