#pragma once
/// Prices as people and shops write them: `1.234,50`, `$12.50`, `1 234,50 EUR`.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "events/money.h"

namespace souk::cli {

/// An amount that was read, or in words why not.
struct Amount {
  Micros value = {};
  std::string mark = {};   // the currency's sign or code beside it; empty: none
  std::string wrong = {};  // empty: it was read
};

/// The prices of one file. Whether a comma parts decimals or thousands is often seen in some rows
/// only, so all are looked at before any is read.
class Amounts {
 public:
  /// What a lone separator with three digits behind it means where no row tells: a point parts
  /// decimals in formats that say so (`point`); else such an amount is refused (`unclear`).
  enum class Doubt { unclear, point };
  /// `decimal`: '.' or ',' where the caller knows; 0: the rows tell.
  Amounts(char decimal, Doubt doubt) : decimal_(decimal), doubt_(doubt) {}
  void look_at(std::string_view text);
  Amount read(std::string_view text) const;
  /// What parts decimals, by all that was looked at; 0: it is not known, or differs.
  char decimal() const;

 private:
  char decimal_;
  Doubt doubt_;
  bool seen_point_ = false, seen_comma_ = false;
};

/// The currency of a price, or in words why there is none.
struct PriceCurrency {
  std::string code = {};
  std::string wrong = {};
};

/// `mark`: beside the amount; `column`: of the row; `given`: what the caller said for the whole
/// file; each may be empty. They must agree; where none says anything it is `fallback`. A plain `$`
/// is USD and a plain yen sign JPY where nothing else is said.
PriceCurrency currency_of_price(std::string_view mark, std::string_view column,
                                std::string_view given, std::string_view fallback);

}  // namespace souk::cli
