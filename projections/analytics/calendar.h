#pragma once
/// Time in buckets: hours and days since 1970, months since year 0, all in UTC.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>

#include "events/time.h"

namespace souk::analytics {

inline constexpr std::int64_t ms_per_hour = 60LL * 60 * 1000;
inline constexpr std::int64_t ms_per_day = 24 * ms_per_hour;
inline constexpr std::int64_t ms_max = 253'402'300'799'999;  // the end of year 9999

enum class Level : std::uint8_t { all = 0, month = 1, day = 2, hour = 3 };  // stored

/// What RFC 3339 can say; a time outside is moved to the end that it is beyond.
inline std::int64_t clamped(UnixMs at) { return std::clamp<std::int64_t>(at.value, 0, ms_max); }

/// REQUIRES of all: `at_ms` is clamped.
inline std::int64_t month_of_day(std::int64_t day) {
  const std::chrono::year_month_day date{
      std::chrono::sys_days{std::chrono::days{static_cast<int>(day)}}};
  return static_cast<int>(date.year()) * 12LL + static_cast<unsigned>(date.month()) - 1;
}
inline std::int64_t bucket_of(Level level, std::int64_t at_ms) {
  switch (level) {
    case Level::all:
      return 0;
    case Level::month:
      return month_of_day(at_ms / ms_per_day);
    case Level::day:
      return at_ms / ms_per_day;
    case Level::hour:
      return at_ms / ms_per_hour;
  }
  return 0;
}
/// Where a bucket begins.
inline std::int64_t begin_of(Level level, std::int64_t bucket) {
  switch (level) {
    case Level::all:
      return 0;
    case Level::month: {
      const std::chrono::year_month_day first{
          std::chrono::year{static_cast<int>(bucket / 12)},
          std::chrono::month{static_cast<unsigned>(bucket % 12 + 1)}, std::chrono::day{1}};
      return std::chrono::sys_days{first}.time_since_epoch().count() * ms_per_day;
    }
    case Level::day:
      return bucket * ms_per_day;
    case Level::hour:
      return bucket * ms_per_hour;
  }
  return 0;
}
/// `2011-08`, `2011-08-31`, `2011-08-31T11:00:00.000Z`: texts that sort as the times do.
inline std::string bucket_text(Level level, std::int64_t bucket) {
  const std::string text = to_rfc3339({begin_of(level, bucket)});
  if (level == Level::month) return text.substr(0, 7);
  if (level == Level::day) return text.substr(0, 10);
  return text;
}

}  // namespace souk::analytics
