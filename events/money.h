#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace souk {

/// An ISO 4217 code: three capital letters; empty (`none()`) where no line has fixed it yet.
class Currency {
 public:
  constexpr Currency() = default;
  /// Nothing unless `text` is three letters A-Z.
  static std::optional<Currency> parse(std::string_view text);
  bool none() const { return code_[0] == 0; }
  std::string_view text() const {
    return none() ? std::string_view{} : std::string_view{code_.data(), 3};
  }
  auto operator<=>(const Currency&) const = default;

 private:
  std::array<char, 3> code_{};
};

/// A signed count of millionths of the currency's unit. Arithmetic says when it would overflow.
struct Micros {
  std::int64_t value = 0;
  auto operator<=>(const Micros&) const = default;
};
std::optional<Micros> add(Micros a, Micros b);
std::optional<Micros> subtract(Micros a, Micros b);
std::optional<Micros> multiply(Micros price, std::int64_t quantity);

/// Decimal digits with at least `decimals` (0 to 6) of them and no needless zeros: 12.50, 12.345,
/// -0.000001. events/currencies.h has the decimals of each currency.
std::string to_decimal(Micros amount, int decimals = 2);
void append_decimal(std::string& out, Micros amount, int decimals = 2);
/// `-?digits(.digits{1,6})?`, no exponent, no plus sign, no leading zeros beyond one; nothing
/// where it does not fit 64 bits.
std::optional<Micros> parse_decimal(std::string_view text);

struct Money {
  Micros amount;
  Currency currency;
  bool operator==(const Money&) const = default;
};

}  // namespace souk
