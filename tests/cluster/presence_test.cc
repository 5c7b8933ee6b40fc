#include "cluster/presence.h"

#include <doctest/doctest.h>

using namespace souk;
using namespace souk::cluster;

namespace {

constexpr UnixMs noon{1'700'000'000'000};

Presence flapped(std::size_t times, UnixMs last_back) {
  Presence presence{.heard = Heard::alive, .since = noon.plus_ms(-10'000'000), .departures = {}};
  for (std::size_t i = times; i > 0; --i) {
    const UnixMs back = last_back.plus_ms(-static_cast<std::int64_t>(i - 1) * 5'000);
    presence = after(std::move(presence), Heard::silent, back.plus_ms(-2'000));
    presence = after(std::move(presence), Heard::alive, back);
  }
  return presence;
}

}  // namespace

TEST_CASE("presence: who never went away is a place at once") {
  const Presence presence = after({}, Heard::alive, noon);
  CHECK(presence.departures.empty());
  CHECK(settled(presence, noon));
  CHECK(!settled(Presence{}, noon));
  CHECK(!expected(Presence{}, noon));
}

TEST_CASE("presence: the wait doubles with each absence, from 10 s to 10 min") {
  const std::int64_t waits_s[] = {10, 20, 40, 80, 160, 320, 600, 600, 600};
  for (std::size_t times = 1; times <= std::size(waits_s); ++times) {
    const Presence presence = flapped(times, noon);
    const std::int64_t wait = waits_s[times - 1] * 1'000;
    CHECK(settling_ms(presence, noon) == wait);
    CHECK(!settled(presence, noon.plus_ms(wait - 1)));
    CHECK(settled(presence, noon.plus_ms(wait)));
    CHECK(presence.departures.size() <= departures_max);
  }
}

TEST_CASE("presence: an absence counts for an hour") {
  const Presence presence = flapped(1, noon);
  const UnixMs left = presence.departures[0];
  CHECK(settling_ms(presence, left.plus_ms(departures_remembered_ms - 1)) == settling_ms_min);
  CHECK(settling_ms(presence, left.plus_ms(departures_remembered_ms)) == 0);
}

TEST_CASE("presence: hearing the same again changes nothing") {
  const Presence presence = flapped(2, noon);
  CHECK(after(presence, Heard::alive, noon.plus_ms(7)) == presence);
}

TEST_CASE("presence: who is away is expected back for 30 s") {
  const Presence presence = after(flapped(1, noon), Heard::silent, noon);
  CHECK(expected(presence, noon.plus_ms(standby_grace_ms - 1)));
  CHECK(!expected(presence, noon.plus_ms(standby_grace_ms)));
}
