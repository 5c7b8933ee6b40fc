#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "events/time.h"

namespace souk::cli {

/// How the dates of a file are written: which of year, month and day comes first. What stands
/// between them, whether numbers have leading zeros, seconds, AM and PM are seen in each date.
class DateFormat {
 public:
  enum class Order { year_first, month_first, day_first };
  explicit DateFormat(Order order = Order::year_first) : order_(order) {}

  /// A pattern (`%m/%d/%Y %H:%M`, `dd.MM.yyyy HH:mm`) or a date of the file (`12/1/2010 8:26`; where
  /// either number may be the month, slashes mean that the month is first, other marks the day).
  /// Nothing where it is neither.
  static std::optional<DateFormat> parse(std::string_view text);

  /// A date and its time, taken as UTC; a date alone is its midnight.
  std::optional<UnixMs> read(std::string_view text) const;
  Order order() const { return order_; }

 private:
  Order order_;
};

/// What the dates of a file tell together: of `12/1/2010` and `13/1/2010` the second says that the
/// day comes first.
class DateOrder {
 public:
  void look_at(std::string_view date);
  /// Nothing where they tell nothing, or contradict each other.
  std::optional<DateFormat> format() const;

 private:
  bool year_first_ = false, month_first_ = false, day_first_ = false;
};

}  // namespace souk::cli
