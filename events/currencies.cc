#include "events/currencies.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

namespace souk {
namespace {

// ---- the table ----

/// Codes with a blank after each.
struct OfDigits {
  int digits;
  std::string_view codes;
};
constexpr OfDigits current[] = {
    {0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF "},
    {2,
     "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN "
     "BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD "
     "FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW "
     "KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR "
     "MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG "
     "SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD "
     "USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG "},
    {3, "BHD IQD JOD KWD LYD OMR TND "},
    {4, "CLF UYW "},
};
/// Metals, units of account, for tests, none: there is no minor unit to pay in.
constexpr std::string_view without_unit = "XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX ";

struct Withdrawn {
  std::string_view code, successor;
};
constexpr Withdrawn withdrawn[] = {
    {"ADP", "EUR"}, {"AFA", "AFN"}, {"ANG", "XCG"}, {"AOR", "AOA"}, {"ATS", "EUR"}, {"AZM", "AZN"},
    {"BEF", "EUR"}, {"BGL", "EUR"}, {"BGN", "EUR"}, {"BYB", "BYN"}, {"BYR", "BYN"}, {"CSD", "RSD"},
    {"CUC", "CUP"}, {"CYP", "EUR"}, {"DEM", "EUR"}, {"ECS", "USD"}, {"EEK", "EUR"}, {"ESP", "EUR"},
    {"FIM", "EUR"}, {"FRF", "EUR"}, {"GHC", "GHS"}, {"GRD", "EUR"}, {"GWP", "XOF"}, {"HRK", "EUR"},
    {"IEP", "EUR"}, {"ITL", "EUR"}, {"LTL", "EUR"}, {"LUF", "EUR"}, {"LVL", "EUR"}, {"MGF", "MGA"},
    {"MRO", "MRU"}, {"MTL", "EUR"}, {"MZM", "MZN"}, {"NLG", "EUR"}, {"PTE", "EUR"}, {"ROL", "RON"},
    {"RUR", "RUB"}, {"SDD", "SDG"}, {"SIT", "EUR"}, {"SKK", "EUR"}, {"SLL", "SLE"}, {"SRG", "SRD"},
    {"STD", "STN"}, {"TJR", "TJS"}, {"TMM", "TMT"}, {"TPE", "USD"}, {"TRL", "TRY"}, {"VEB", "VES"},
    {"VEF", "VES"}, {"YUM", "RSD"}, {"ZMK", "ZMW"}, {"ZWD", "ZWG"}, {"ZWL", "ZWG"}, {"ZWN", "ZWG"},
    {"ZWR", "ZWG"},
};
/// Those of them that had no minor unit.
constexpr std::string_view withdrawn_whole = "ADP BEF BYB BYR ESP GRD ITL LUF MGF PTE ROL TPE TRL ";

// ---- looking up ----

/// Of each of the 26^3 codes: its digits beyond two, and whether it can be paid. All zero where
/// nothing is said: g++ 12 leaves elements of such a table zero whatever their members begin with.
struct Entry {
  std::int8_t digits_more;
  bool payable;
};
constexpr int digits_mostly = 2;
constexpr std::size_t letters = 26;
constexpr std::size_t place_of(std::string_view code) {
  std::size_t place = 0;
  for (const char c : code) place = place * letters + static_cast<std::size_t>(c - 'A');
  return place;
}
using Table = std::array<Entry, letters * letters * letters>;
constexpr Table table = [] {
  Table all{};
  for (const auto& [digits, codes] : current)
    for (std::size_t i = 0; i < codes.size(); i += 4)
      all[place_of(codes.substr(i, 3))] = {static_cast<std::int8_t>(digits - digits_mostly), true};
  for (std::size_t i = 0; i < withdrawn_whole.size(); i += 4)
    all[place_of(withdrawn_whole.substr(i, 3))].digits_more = -digits_mostly;
  return all;
}();

const Entry& entry_of(Currency currency) {
  static constexpr Entry none{};
  return currency.none() ? none : table[place_of(currency.text())];
}

// ---- the nearest ----

/// Edits between two codes; letters that changed places are one edit, as they are for whoever types.
std::size_t edits(std::string_view a, std::string_view b) {
  constexpr std::size_t longest = 8;
  std::array<std::array<std::size_t, longest + 1>, longest + 1> d{};
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i)
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t other = a[i - 1] == b[j - 1] ? 0 : 1;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + other});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

/// Of several as near: one that begins alike, then one that much is paid in, then by the alphabet.
std::string_view nearest(std::string_view code) {
  constexpr std::string_view much_used = "EUR USD GBP JPY CNY CHF AUD CAD INR BRL ZAR ";
  std::string_view best;
  std::size_t best_cost = SIZE_MAX;
  for (const auto& [digits, codes] : current)
    for (std::size_t i = 0; i < codes.size(); i += 4) {
      const auto candidate = codes.substr(i, 3);
      const std::size_t cost = edits(code, candidate) * 4 + (candidate[0] == code[0] ? 0 : 2) +
                               (much_used.find(candidate) == std::string_view::npos ? 1 : 0);
      if (cost > best_cost || (cost == best_cost && candidate > best)) continue;
      best = candidate;
      best_cost = cost;
    }
  return best;
}

std::string upper_ascii(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

}  // namespace

int minor_digits(Currency currency) { return digits_mostly + entry_of(currency).digits_more; }

bool can_be_paid(Currency currency) { return entry_of(currency).payable; }

std::string why_not_payable(std::string_view code) {
  const auto currency = Currency::parse(code);
  if (!currency) {
    const std::string upper = upper_ascii(code);
    const auto meant = Currency::parse(upper);
    std::string why = "must be three capital letters, as ";
    return why += meant && can_be_paid(*meant) ? upper : "GBP";
  }
  if (can_be_paid(*currency)) return {};
  const std::string text(code);
  const auto gone = std::ranges::find(withdrawn, code, &Withdrawn::code);
  if (gone != std::end(withdrawn))
    return text + " is withdrawn and can no longer be paid; use " + std::string(gone->successor);
  const bool unit_less = without_unit.find(text + ' ') != std::string_view::npos;
  return text + (unit_less ? " of ISO 4217 has no unit to pay in" : " is no currency of ISO 4217") +
         "; the nearest is " + std::string(nearest(code));
}

std::optional<Micros> to_minor_units(Micros amount, Currency currency) {
  constexpr std::array<std::int64_t, 7> micros_of = {1'000'000, 100'000, 10'000, 1'000, 100, 10, 1};
  const std::int64_t unit = micros_of[static_cast<std::size_t>(minor_digits(currency))];
  const std::int64_t rest = amount.value % unit;  // has the sign of the amount
  const std::int64_t whole = amount.value - rest;
  const std::int64_t size = rest < 0 ? -rest : rest;
  const bool away = size * 2 > unit || (size * 2 == unit && whole / unit % 2 != 0);
  if (!away) return Micros{whole};
  return add({whole}, {rest < 0 ? -unit : unit});
}

void append_decimal(std::string& out, Micros amount, Currency currency) {
  append_decimal(out, amount, minor_digits(currency));
}
void append_decimal(std::string& out, const MicrosSum& sum, Currency currency) {
  append_decimal(out, sum, minor_digits(currency));
}
std::string to_decimal(Micros amount, Currency currency) {
  std::string text;
  append_decimal(text, amount, currency);
  return text;
}
std::string to_decimal(const MicrosSum& sum, Currency currency) {
  std::string text;
  append_decimal(text, sum, currency);
  return text;
}

}  // namespace souk
