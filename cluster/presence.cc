#include "cluster/presence.h"

#include <algorithm>

namespace souk::cluster {
namespace {

std::size_t recent_departures(const Presence& presence, UnixMs now) {
  return static_cast<std::size_t>(
      std::count_if(presence.departures.begin(), presence.departures.end(),
                    [&](UnixMs at) { return at > now.plus_ms(-departures_remembered_ms); }));
}

}  // namespace

Presence after(Presence presence, Heard heard, UnixMs now) {
  if (presence.heard == heard) return presence;
  if (heard == Heard::silent) {
    presence.departures.push_back(now);
    if (presence.departures.size() > departures_max)
      presence.departures.erase(presence.departures.begin());
  }
  presence.heard = heard;
  presence.since = now;
  return presence;
}

std::int64_t settling_ms(const Presence& presence, UnixMs now) {
  const std::size_t recent = recent_departures(presence, now);
  if (recent == 0) return 0;
  std::int64_t wait = settling_ms_min;
  for (std::size_t i = recent; i > 1 && wait < settling_ms_max; --i) wait *= 2;
  return std::min(wait, settling_ms_max);
}

bool settled(const Presence& presence, UnixMs now) {
  return alive(presence) && now >= presence.since.plus_ms(settling_ms(presence, now));
}

bool expected(const Presence& presence, UnixMs now) {
  return alive(presence) ||
         (!presence.departures.empty() && now < presence.since.plus_ms(standby_grace_ms));
}

bool back_soon(const Presence& presence, UnixMs now) {
  return expected(presence, now) && !settled(presence, now) &&
         recent_departures(presence, now) <= absences_waited_for_max;
}

}  // namespace souk::cluster
