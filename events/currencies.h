#pragma once
/// The currencies of ISO 4217: which can be paid, and with how many decimals each is written.
///
/// Source: list one (current currencies and funds) as published on 2026-01-01, still the newest in
/// November 2026. What was withdrawn since the euro began, and what took its place: the regions of
/// CLDR 48.2; which of them had no minor unit: the table of Java 17. The digits are ISO's: those of
/// CLDR and ICU tell how amounts are shown (IQD 0, COP 0), not what can be paid (IQD 3, COP 2).
///
/// Thread: any.
#include <optional>
#include <string>
#include <string_view>

#include "events/money.h"
#include "events/money_sum.h"

namespace souk {

/// Decimals of the currency's minor unit, 0 to 4: JPY 0, GBP 2, KWD 3. Withdrawn ones keep theirs;
/// 2 for whatever else a history may hold, and for none.
int minor_digits(Currency currency);

/// Whether something can be paid in it today: it is in the list, and has a minor unit.
bool can_be_paid(Currency currency);
/// Why nothing can be priced in `code`, with the nearest code that can be paid (of a withdrawn one:
/// what took its place), as the end of a sentence that began with the member. Empty: it can.
std::string why_not_payable(std::string_view code);

/// `amount` in whole minor units, half to even; nothing where that does not fit 64 bits.
std::optional<Micros> to_minor_units(Micros amount, Currency currency);

/// Decimal digits with the currency's own decimals, or more where the exact value has more:
/// GBP 12.50, JPY 1000, KWD 1.250, JPY 10.5.
std::string to_decimal(Micros amount, Currency currency);
std::string to_decimal(const MicrosSum& sum, Currency currency);
void append_decimal(std::string& out, Micros amount, Currency currency);
void append_decimal(std::string& out, const MicrosSum& sum, Currency currency);

}  // namespace souk
