#include "events/time.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <ctime>
#include <limits>

using namespace souk;

namespace {
constexpr std::int64_t last_ms = 253'402'300'799'999;
std::int64_t ms(const char* text) {
  const auto at = parse_rfc3339(text);
  return at ? at->value : -1;
}
}  // namespace

TEST_CASE("time: the log's times are printed in UTC with milliseconds") {
  CHECK(to_rfc3339({0}) == "1970-01-01T00:00:00.000Z");
  CHECK(to_rfc3339({1'314'789'900'000}) == "2011-08-31T11:25:00.000Z");
  CHECK(to_rfc3339({951'827'696'007}) == "2000-02-29T12:34:56.007Z");
  CHECK(to_rfc3339({last_ms}) == "9999-12-31T23:59:59.999Z");
  CHECK(to_rfc3339({-1}) == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("time: what no RFC 3339 time can say is printed as the nearest that can") {
  CHECK(to_rfc3339({last_ms + 1}) == "9999-12-31T23:59:59.999Z");
  CHECK(to_rfc3339({std::numeric_limits<std::int64_t>::max()}) == "9999-12-31T23:59:59.999Z");
  CHECK(to_rfc3339({std::numeric_limits<std::int64_t>::min()}) == "0000-01-01T00:00:00.000Z");
}

TEST_CASE("time: every time is read back from its text") {
  CHECK(rc::check([] {
    const auto value = *rc::gen::inRange<std::int64_t>(0, last_ms + 1);
    RC_ASSERT(parse_rfc3339(to_rfc3339({value})) == UnixMs{value});
  }));
}

TEST_CASE("time: every day agrees with the C library") {
  for (std::int64_t day = 0; day < 366 * 500; day += 13) {
    const std::time_t seconds = day * 86'400;
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    char text[64];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.000Z", &utc);
    REQUIRE(to_rfc3339({day * 86'400'000}) == text);
  }
}

TEST_CASE("time: offsets are taken off") {
  CHECK(ms("2011-08-31T11:25:00Z") == 1'314'789'900'000);
  CHECK(ms("2011-08-31T13:25:00+02:00") == 1'314'789'900'000);
  CHECK(ms("2011-08-31T05:55:00.000-05:30") == 1'314'789'900'000);
  CHECK(ms("2011-08-31T11:25:00-00:00") == 1'314'789'900'000);
  CHECK(ms("1969-12-31T23:30:00-01:00") == 1'800'000);
  CHECK(ms("2011-08-31t11:25:00z") == 1'314'789'900'000);
}

TEST_CASE("time: fractions of any length are cut to milliseconds") {
  CHECK(ms("1970-01-01T00:00:00.1Z") == 100);
  CHECK(ms("1970-01-01T00:00:00.12Z") == 120);
  CHECK(ms("1970-01-01T00:00:00.1239999999999999999999Z") == 123);
}

TEST_CASE("time: leap years have a 29 February") {
  CHECK(ms("2012-02-29T00:00:00Z") == 1'330'473'600'000);
  CHECK(ms("2000-02-29T00:00:00Z") == 951'782'400'000);
  CHECK(ms("2011-02-29T00:00:00Z") == -1);
  CHECK(ms("2100-02-29T00:00:00Z") == -1);
}

TEST_CASE("time: a leap second ends a day of UTC and is the second after") {
  CHECK(ms("2016-12-31T23:59:60Z") == ms("2017-01-01T00:00:00Z"));
  CHECK(ms("2016-12-31T15:59:60.5-08:00") == ms("2017-01-01T00:00:00.5Z"));
  CHECK(ms("2016-12-31T23:58:60Z") == -1);
  CHECK(ms("2016-12-31T23:59:61Z") == -1);
}

TEST_CASE("time: the limits are 1970 and 9999") {
  CHECK(ms("1970-01-01T00:00:00Z") == 0);
  CHECK(ms("1969-12-31T23:59:59.999Z") == -1);
  CHECK(ms("1970-01-01T00:00:00+00:01") == -1);
  CHECK(ms("9999-12-31T23:59:59.999Z") == last_ms);
  CHECK(ms("9999-12-31T23:59:59-00:01") == -1);
  CHECK(ms("10000-01-01T00:00:00Z") == -1);
}

TEST_CASE("time: what is not RFC 3339 is refused") {
  for (const char* text : {"",
                           "2011-08-31",
                           "2011-08-31T11:25Z",
                           "2011-08-31T11:25:00",
                           "2011-08-31 11:25:00Z",
                           "2011-8-31T11:25:00Z",
                           "2011-08-31T11:25:00.Z",
                           "2011-08-31T11:25:00+0200",
                           "2011-08-31T11:25:00+02",
                           "2011-08-31T11:25:00+24:00",
                           "2011-08-31T11:25:00+02:60",
                           "2011-13-01T00:00:00Z",
                           "2011-00-01T00:00:00Z",
                           "2011-04-31T00:00:00Z",
                           "2011-04-00T00:00:00Z",
                           "2011-04-01T24:00:00Z",
                           "2011-04-01T00:60:00Z",
                           "2011-08-31T11:25:00Zx",
                           " 2011-08-31T11:25:00Z",
                           "2011-08-31T11:25:00,5Z",
                           "2011/08/31T11:25:00Z",
                           "-011-08-31T11:25:00Z",
                           "2011-08-31T11:25:-1Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rfc3339(text));
  }
}
