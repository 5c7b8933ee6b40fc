#include "events/time.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>

namespace souk {
namespace {

constexpr std::int64_t ms_per_second = 1000;
constexpr std::int64_t ms_per_minute = 60 * ms_per_second;
constexpr std::int64_t ms_per_hour = 60 * ms_per_minute;
constexpr std::int64_t ms_per_day = 24 * ms_per_hour;
constexpr std::int64_t printable_ms_min = -62'167'219'200'000;  // 0000-01-01T00:00:00.000Z
constexpr std::int64_t printable_ms_max = 253'402'300'799'999;  // 9999-12-31T23:59:59.999Z

void put_digits(char* at, std::int64_t value, int digits) {
  for (int i = digits - 1; i >= 0; --i, value /= 10) at[i] = static_cast<char>('0' + value % 10);
}

/// Reads the parts of a time from the front of a text; any miss makes `ok` false for good.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  std::int64_t digits(std::size_t count) {
    std::int64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value = value * 10 + digit();
    return value;
  }
  /// One or more digits after the point, as milliseconds; finer ones are cut off.
  std::int64_t fraction_ms() {
    std::int64_t ms = 0;
    std::int64_t unit = 100;
    do {
      ms += digit() * unit;
      unit /= 10;
    } while (next_is_digit());
    return ms;
  }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(bool seen) { ok_ = ok_ && seen; }
  bool finished() const { return ok_ && rest_.empty(); }

 private:
  bool next_is_digit() const {
    return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9';
  }
  std::int64_t digit() {
    if (!next_is_digit()) {
      ok_ = false;
      return 0;
    }
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c - '0';
  }

  std::string_view rest_;
  bool ok_ = true;
};

/// Minutes east of UTC, in ms.
std::int64_t scan_offset_ms(Scanner& scan) {
  if (scan.take('Z') || scan.take('z')) return 0;
  const bool east = scan.take('+');
  if (!east) scan.expect(scan.take('-'));
  const std::int64_t hours = scan.digits(2);
  scan.expect(scan.take(':'));
  const std::int64_t minutes = scan.digits(2);
  scan.expect(hours < 24 && minutes < 60);
  const std::int64_t offset = hours * ms_per_hour + minutes * ms_per_minute;
  return east ? offset : -offset;
}

}  // namespace

std::string to_rfc3339(UnixMs at) {
  const std::int64_t ms = std::clamp(at.value, printable_ms_min, printable_ms_max);
  std::int64_t day = ms / ms_per_day;
  std::int64_t in_day = ms % ms_per_day;
  if (in_day < 0) {
    in_day += ms_per_day;
    --day;
  }
  const std::chrono::year_month_day date{
      std::chrono::sys_days{std::chrono::days{static_cast<int>(day)}}};
  std::string text = "0000-00-00T00:00:00.000Z";
  put_digits(&text[0], static_cast<int>(date.year()), 4);
  put_digits(&text[5], static_cast<unsigned>(date.month()), 2);
  put_digits(&text[8], static_cast<unsigned>(date.day()), 2);
  put_digits(&text[11], in_day / ms_per_hour, 2);
  put_digits(&text[14], in_day / ms_per_minute % 60, 2);
  put_digits(&text[17], in_day / ms_per_second % 60, 2);
  put_digits(&text[20], in_day % ms_per_second, 3);
  return text;
}

std::optional<UnixMs> parse_rfc3339(std::string_view text) {
  Scanner scan(text);
  const std::int64_t year = scan.digits(4);
  scan.expect(scan.take('-'));
  const std::int64_t month = scan.digits(2);
  scan.expect(scan.take('-'));
  const std::int64_t day = scan.digits(2);
  scan.expect(scan.take('T') || scan.take('t'));
  const std::int64_t hour = scan.digits(2);
  scan.expect(scan.take(':'));
  const std::int64_t minute = scan.digits(2);
  scan.expect(scan.take(':'));
  const std::int64_t second = scan.digits(2);
  const std::int64_t fraction_ms = scan.take('.') ? scan.fraction_ms() : 0;
  const std::int64_t offset_ms = scan_offset_ms(scan);
  if (!scan.finished() || hour > 23 || minute > 59 || second > 60) return std::nullopt;

  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(year)},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  const std::int64_t minute_ms =
      days * ms_per_day + hour * ms_per_hour + minute * ms_per_minute - offset_ms;
  // A leap second ends a day of UTC; Unix time has none and calls it the second after.
  const std::int64_t next_minute_in_day = (minute_ms + ms_per_minute) % ms_per_day;
  if (second == 60 && next_minute_in_day != 0) return std::nullopt;
  const std::int64_t ms = minute_ms + second * ms_per_second + fraction_ms;
  if (ms < 0 || ms > printable_ms_max) return std::nullopt;
  return UnixMs{ms};
}

}  // namespace souk
