#pragma once
/// Whether a node can be relied upon: the rule that keeps shards still while a node comes and goes.
///
///   A node that dies loses its shards to their standbys at once, and gets none back by returning.
///   It is a *place*, for what is new and for a rebalance, only after it has been alive without a
///   break for 10 s. Each further time that it went away within the last hour doubles that, up to
///   10 min. One that did not go away in this hour is a place at once.
///   What it holds as a standby it keeps for 30 s of absence.
///   While it may be back soon (it is away for less than 30 s, or back and not yet a place, for the
///   first or second time within the hour) nothing is moved for balance, anywhere.
///
/// So a restart copies nothing: the shards go to their standbys, and are handed back. A node that
/// flaps moves each shard once to its standby, at its first absence; each standby once, at its
/// first absence of 30 s; and what is too much for those who took over once, at its third.
#include <cstdint>
#include <vector>

#include "events/time.h"

namespace souk::cluster {

inline constexpr std::int64_t departures_remembered_ms = 3'600'000;
inline constexpr std::int64_t settling_ms_min = 10'000;
inline constexpr std::int64_t settling_ms_max = 600'000;
inline constexpr std::int64_t standby_grace_ms = 30'000;
/// Of a node within the hour: balance does not wait for it a third time.
inline constexpr std::size_t absences_waited_for_max = 2;
/// More make the wait no longer.
inline constexpr std::size_t departures_max = 7;

enum class Heard : std::uint8_t { alive, silent };

struct Presence {
  Heard heard = Heard::silent;
  UnixMs since;                    // of `heard`
  std::vector<UnixMs> departures;  // ascending; the newest `departures_max`
  bool operator==(const Presence&) const = default;
};

/// The presence after the node was found to be `heard` at `now`. Nothing new changes nothing. A
/// restart is an absence however short it was: whoever hears of another incarnation says both.
Presence after(Presence presence, Heard heard, UnixMs now);

/// How long the node has to be alive without a break until it is a place. Units: milliseconds.
std::int64_t settling_ms(const Presence& presence, UnixMs now);
inline bool alive(const Presence& presence) { return presence.heard == Heard::alive; }
/// Alive, and a place for what is new.
bool settled(const Presence& presence, UnixMs now);
/// Alive, or not away for long: keeps what it holds as a standby.
bool expected(const Presence& presence, UnixMs now);
/// Balance waits for it.
bool back_soon(const Presence& presence, UnixMs now);

}  // namespace souk::cluster
