#pragma once
/// One seed's chance, time and events: all that is random or late in a run comes from here, so that
/// the same seed is the same run.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "actors/host/engine.h"
#include "actors/ports/node_clock.h"
#include "events/time.h"

namespace souk::simulation {

/// What goes wrong, in percent of the chances it has; all zero: nothing.
struct Faults {
  int write_slow = 0, write_fails = 0, settle_fails = 0, scan_fails = 0;  // journal
  int put_fails = 0, get_fails = 0, cold = 0, rots = 0;                   // state store
  int destroy_fails = 0;                                                  // vault
  int call_lost = 0, answer_lost = 0, answer_twice = 0, call_fails = 0;   // provider
  int call_slow = 0, call_at_once = 0;
  int request_lost = 0, reply_lost = 0, impatient = 0;  // clients
  int commit_fails = 0;                                 // read models
  int time_passes = 0;                                  // while there is work to do
};

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {}
  World(const World&) = delete;

  // ---- chance ----
  std::uint64_t number() { return random_(); }
  bool chance(int percent) { return percent > 0 && static_cast<int>(random_() % 100) < percent; }
  /// `low` to `high`, both possible.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(high - low + 1));
  }
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }
  Id128 id128() {
    Id128 id;
    for (auto& byte : id.bytes) byte = static_cast<std::uint8_t>(random_());
    return id;
  }

  // ---- time ----
  /// Since the run began. Units: milliseconds.
  std::int64_t time_ms() const { return time_ms_; }
  /// The time of day as those who keep good clocks have it.
  UnixMs time_of_day() const { return {began_at_ms + time_ms_}; }
  void after(std::int64_t delay_ms, std::function<void()> what) {
    events_.emplace(std::make_pair(time_ms_ + delay_ms, next_event_++), std::move(what));
  }
  std::optional<std::int64_t> next_event_ms() const {
    return events_.empty() ? std::nullopt : std::make_optional(events_.begin()->first.first);
  }
  /// Moves time on by `ms` and lets happen what is due by then.
  void pass(std::int64_t ms) {
    const std::int64_t until = time_ms_ + ms;
    while (!events_.empty() && events_.begin()->first.first <= until) {
      auto event = events_.extract(events_.begin());
      time_ms_ = std::max(time_ms_, event.key().first);
      event.mapped()();
    }
    time_ms_ = until;
  }

  // ---- what went wrong ----
  Faults faults;
  /// Notes that a promise was broken; the first one counts.
  void violated(const std::string& promise, const std::string& what) {
    if (violation_.empty()) violation_ = promise + ": " + what;
  }
  const std::string& violation() const { return violation_; }

 private:
  static constexpr std::int64_t began_at_ms = 1'750'000'000'000;
  std::mt19937_64 random_;
  std::int64_t time_ms_ = 0;
  std::uint64_t next_event_ = 0;
  std::map<std::pair<std::int64_t, std::uint64_t>, std::function<void()>> events_;
  std::string violation_;
};

/// The clock of the node. It never goes back while the node runs, but from one start to the next.
class MachineClock final : public NodeClock {
 public:
  explicit MachineClock(World& world) : world_(world) {}
  UnixMs now() override { return shown_at_start_.plus_ms(world_.time_ms() - started_at_ms_); }
  /// The node starts: the wall clock may be off.
  void begin_at(UnixMs newest) override {
    const std::int64_t skew_ms = world_.chance(30) ? world_.between(-60'000, 60'000) : 0;
    started_at_ms_ = world_.time_ms();
    shown_at_start_ = std::max(world_.time_of_day().plus_ms(skew_ms), newest);
  }

 private:
  World& world_;
  UnixMs shown_at_start_;
  std::int64_t started_at_ms_ = 0;
};

class WorldRandomness final : public Randomness {
 public:
  explicit WorldRandomness(World& world) : world_(world) {}
  void fill(void* bytes, std::size_t count) override {
    auto* out = static_cast<unsigned char*>(bytes);
    for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<unsigned char>(world_.number());
  }

 private:
  World& world_;
};

}  // namespace souk::simulation
