#pragma once
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace souk {

/// Milliseconds since 1970-01-01T00:00:00Z.
struct UnixMs {
  std::int64_t value = 0;
  auto operator<=>(const UnixMs&) const = default;
  UnixMs plus_ms(std::int64_t ms) const { return {value + ms}; }
};

/// RFC 3339 in UTC with milliseconds, e.g. `2011-08-31T11:25:00.000Z`.
std::string to_rfc3339(UnixMs at);
/// Takes any RFC 3339 time with `Z` or an offset, years 1970 to 9999; nothing for all else.
std::optional<UnixMs> parse_rfc3339(std::string_view text);

/// Where time comes from. Rules never read one: the shard stamps commands.
/// Thread: any.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Never goes back within a process, also where the machine's clock is set back.
  virtual UnixMs now() = 0;
};

}  // namespace souk
