#include "tools/souk/import/date_format.h"

#include <array>
#include <cstdio>

#include "tools/souk/import/sheet.h"

namespace souk::cli {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct Parts {
  std::array<int, 3> date{};
  std::size_t first_digits = 0;  // how long the first number is
  char mark = 0;                 // between the numbers of the date
  int hour = 0, minute = 0, second = 0;
};

/// Reads a number of at most `digits_max` digits and moves `at` behind it; -1: there is none.
int number(std::string_view text, std::size_t& at, std::size_t digits_max) {
  int value = 0;
  const std::size_t first = at;
  while (at < text.size() && is_digit(text[at]) && at - first < digits_max)
    value = value * 10 + (text[at++] - '0');
  return at == first ? -1 : value;
}

bool read_time(std::string_view text, std::size_t at, Parts& parts) {
  parts.hour = number(text, at, 2);
  if (parts.hour < 0 || at >= text.size() || text[at] != ':') return false;
  parts.minute = number(text, ++at, 2);
  if (parts.minute < 0) return false;
  if (at < text.size() && text[at] == ':') {
    parts.second = number(text, ++at, 2);
    if (parts.second < 0) return false;
    if (at < text.size() && text[at] == '.')  // a fraction of a second, dropped
      for (++at; at < text.size() && is_digit(text[at]);) ++at;
  }
  const std::string rest = lower(trimmed(text.substr(at)));
  if (rest.empty() || rest == "z") return true;
  if ((rest != "am" && rest != "pm") || parts.hour < 1 || parts.hour > 12) return false;
  parts.hour = parts.hour % 12 + (rest == "pm" ? 12 : 0);
  return true;
}

std::optional<Parts> parts_of_date(std::string_view text) {
  text = trimmed(text);
  Parts parts;
  std::size_t at = 0;
  for (std::size_t i = 0; i < parts.date.size(); ++i) {
    const std::size_t first = at;
    parts.date[i] = number(text, at, 4);
    if (parts.date[i] < 0) return std::nullopt;
    if (i == 0) parts.first_digits = at - first;
    if (i == 2) break;
    if (at >= text.size() || (text[at] != '-' && text[at] != '/' && text[at] != '.'))
      return std::nullopt;
    if (i == 1 && text[at] != parts.mark) return std::nullopt;
    parts.mark = text[at++];
  }
  if (at == text.size()) return parts;
  if (text[at] != ' ' && text[at] != 'T') return std::nullopt;
  if (!read_time(text, at + 1, parts)) return std::nullopt;
  return parts;
}

std::optional<DateFormat::Order> told_by(const Parts& parts) {
  using enum DateFormat::Order;
  if (parts.first_digits == 4) return year_first;
  if (parts.date[0] > 12) return day_first;
  if (parts.date[1] > 12) return month_first;
  return std::nullopt;
}

/// Of a pattern: the letters y, m and d in the order in which they first come.
std::string letters_of(std::string_view pattern) {
  std::string seen;
  for (const char c : lower(pattern.substr(0, pattern.find_first_of(" T"))))
    if ((c == 'y' || c == 'm' || c == 'd') && seen.find(c) == std::string::npos) seen += c;
  return seen;
}

}  // namespace

std::optional<DateFormat> DateFormat::parse(std::string_view text) {
  if (const auto parts = parts_of_date(text)) {
    const auto told = told_by(*parts);
    return DateFormat(told ? *told : parts->mark == '/' ? Order::month_first : Order::day_first);
  }
  const std::string letters = letters_of(trimmed(text));
  if (letters == "ymd") return DateFormat(Order::year_first);
  if (letters == "mdy") return DateFormat(Order::month_first);
  if (letters == "dmy") return DateFormat(Order::day_first);
  return std::nullopt;
}

std::optional<UnixMs> DateFormat::read(std::string_view text) const {
  const auto parts = parts_of_date(text);
  if (!parts || (parts->first_digits == 4) != (order_ == Order::year_first)) return std::nullopt;
  const auto& date = parts->date;
  const bool year_first = order_ == Order::year_first;
  int year = year_first ? date[0] : date[2];
  const int month = year_first ? date[1] : order_ == Order::month_first ? date[0] : date[1];
  const int day = year_first ? date[2] : order_ == Order::month_first ? date[1] : date[0];
  if (year < 100) year += 2000;
  char time[40];
  std::snprintf(time, sizeof time, "%04d-%02d-%02dT%02d:%02d:%02dZ", year, month, day, parts->hour,
                parts->minute, parts->second);
  return parse_rfc3339(time);
}

void DateOrder::look_at(std::string_view date) {
  const auto parts = parts_of_date(date);
  if (!parts) return;
  const auto told = told_by(*parts);
  if (!told) return;
  year_first_ = year_first_ || *told == DateFormat::Order::year_first;
  month_first_ = month_first_ || *told == DateFormat::Order::month_first;
  day_first_ = day_first_ || *told == DateFormat::Order::day_first;
}

std::optional<DateFormat> DateOrder::format() const {
  if (year_first_ + month_first_ + day_first_ != 1) return std::nullopt;
  if (year_first_) return DateFormat(DateFormat::Order::year_first);
  return DateFormat(month_first_ ? DateFormat::Order::month_first : DateFormat::Order::day_first);
}

}  // namespace souk::cli
