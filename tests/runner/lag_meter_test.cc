#include "projections/runner/lag_meter.h"

#include <doctest/doctest.h>

using namespace souk;
using std::chrono::milliseconds;

namespace {

using Time = LagMeter::Time;
Time at(int ms) { return Time(milliseconds(ms)); }

}  // namespace

TEST_CASE(
    "lag: one that is always a little behind is as old as that, not as its last rest at the end") {
  LagMeter lag(at(0));
  for (int ms = 0; ms <= 10'000; ms += 10) {
    const Seq end = static_cast<Seq>(ms);
    lag.mark(at(ms), {end, 7});
    lag.reached({end > 200 ? end - 200 : 0, 7});
    CHECK(at(ms) - lag.as_of() <= milliseconds(210));
  }
  CHECK(at(10'000) - lag.as_of() >= milliseconds(200));
}

TEST_CASE("lag: every shard counts") {
  LagMeter lag(at(0));
  lag.mark(at(10), {1, 1});
  lag.reached({9, 0});
  CHECK(lag.as_of() == at(0));
  lag.reached({9, 1});
  CHECK(lag.as_of() == at(10));
}

TEST_CASE("lag: one that stands grows old, and the way back is seen to a thirtieth") {
  LagMeter lag(at(0));
  constexpr int hour = 3'600'000;
  for (int ms = 0; ms <= hour; ms += 50) {
    lag.mark(at(ms), {static_cast<Seq>(ms) + 1});
    lag.reached({0});
  }
  CHECK(lag.as_of() == at(0));
  for (int ms = 0; ms <= hour; ms += 9'999) {
    lag.reached({static_cast<Seq>(ms) + 1});
    const auto age = at(hour) - lag.as_of();
    CHECK(age >= milliseconds(hour - ms));
    CHECK(age <= milliseconds(hour - ms) + milliseconds(hour / 30));
  }
}
