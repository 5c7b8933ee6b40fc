#pragma once
#include "events/money.h"

namespace souk {

/// A sum of amounts, exact however many they are: two orders may already be worth more than 64 bits
/// of millionths hold. Bound: 2^63 of the currency's units.
class MicrosSum {
 public:
  constexpr MicrosSum() = default;
  /// Converts: an amount is a sum.
  constexpr MicrosSum(Micros amount) : MicrosSum(0, amount.value) {}
  /// `millionths` may be any, also negative.
  constexpr MicrosSum(std::int64_t units, std::int64_t millionths)
      : units_(units + millionths / per_unit), millionths_(millionths % per_unit) {
    if (millionths_ >= 0) return;
    millionths_ += per_unit;
    --units_;
  }

  /// The value is units + millionths / 1,000,000, rounded down to units.
  std::int64_t units() const { return units_; }
  /// 0 to 999,999.
  std::int64_t millionths() const { return millionths_; }

  MicrosSum& operator+=(const MicrosSum& o) {
    return *this = MicrosSum(units_ + o.units_, millionths_ + o.millionths_);
  }
  MicrosSum operator-() const { return {-units_, -millionths_}; }
  auto operator<=>(const MicrosSum&) const = default;

 private:
  static constexpr std::int64_t per_unit = 1'000'000;
  std::int64_t units_ = 0;
  std::int64_t millionths_ = 0;
};

/// As of Micros.
void append_decimal(std::string& out, const MicrosSum& sum, int decimals = 2);
std::string to_decimal(const MicrosSum& sum, int decimals = 2);

struct MoneySum {
  MicrosSum amount;
  Currency currency;
  bool operator==(const MoneySum&) const = default;
};

}  // namespace souk
