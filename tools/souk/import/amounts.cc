#include "tools/souk/import/amounts.h"

#include <algorithm>
#include <array>

#include "events/currencies.h"
#include "tools/souk/import/sheet.h"

namespace souk::cli {
namespace {

struct Sign {
  std::string_view sign;
  std::string_view
      codes;  // with blanks between them; the first is meant where nothing else is said
};
constexpr std::array signs = {
    Sign{"\u20AC", "EUR"},  Sign{"\u00A3", "GBP"},  Sign{"$", "USD CAD AUD NZD SGD HKD MXN TWD"},
    Sign{"US$", "USD"},     Sign{"CA$", "CAD"},     Sign{"C$", "CAD"},
    Sign{"A$", "AUD"},      Sign{"AU$", "AUD"},     Sign{"NZ$", "NZD"},
    Sign{"HK$", "HKD"},     Sign{"S$", "SGD"},      Sign{"R$", "BRL"},
    Sign{"MX$", "MXN"},     Sign{"NT$", "TWD"},     Sign{"\u00A5", "JPY CNY"},
    Sign{"\u20B9", "INR"},  Sign{"\u20A9", "KRW"},  Sign{"\u20BD", "RUB"},
    Sign{"\u20BA", "TRY"},  Sign{"\u20B4", "UAH"},  Sign{"\u20AA", "ILS"},
    Sign{"\u20AB", "VND"},  Sign{"\u0E3F", "THB"},  Sign{"\u20B1", "PHP"},
    Sign{"z\u0142", "PLN"}, Sign{"K\u010D", "CZK"}, Sign{"Ft", "HUF"},
    Sign{"lei", "RON"},     Sign{"Fr.", "CHF"}};

/// An amount's digits with their separators, and what stands beside them.
struct Parts {
  std::string core;  // digits, points and commas
  std::string mark;
  bool negative = false;
  bool grouped = false;  // by blanks or apostrophes, which are gone
  bool wrong = false;
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Every kind of blank as a plain one; apostrophes of both kinds as plain ones.
std::string plain(std::string_view text) {
  std::string out(text);
  for (const auto& [from, to] :
       {std::pair{"\u00A0", " "}, std::pair{"\u202F", " "}, std::pair{"\u2009", " "},
        std::pair{"\u2019", "'"}, std::pair{"\u2212", "-"}})
    for (std::size_t at = 0; (at = out.find(from, at)) != std::string::npos;)
      out.replace(at, std::string_view(from).size(), to);
  return out;
}

Parts parts_of_amount(std::string_view text) {
  const std::string all = plain(trimmed(text));
  Parts parts;
  const auto first = static_cast<std::size_t>(std::ranges::find_if(all, is_digit) - all.begin());
  if (first == all.size()) {
    parts.wrong = true;
    return parts;
  }
  std::size_t begin = first, end = all.size();
  while (!is_digit(all[end - 1])) --end;
  if (begin > 0 && (all[begin - 1] == '.' || all[begin - 1] == ',')) --begin;  // .50
  std::string before(all.substr(0, begin)), after(all.substr(end));
  if (after.starts_with(",-") || after.starts_with(".-")) after.erase(0, 2);  // 12,-
  std::erase_if(before, [&](char c) {
    parts.negative = parts.negative || c == '-';
    return c == '-' || c == '+' || c == ' ';
  });
  before.erase(0, before.find_first_not_of('\''));  // how spreadsheets keep a number a text
  const std::string behind(trimmed(after));
  parts.wrong = !before.empty() && !behind.empty();
  parts.mark = before + behind;
  for (std::size_t i = begin; i < end; ++i) {
    const char c = all[i];
    if (c == ' ' || c == '\'') {
      std::size_t digits = 0;
      while (i + 1 + digits < end && is_digit(all[i + 1 + digits])) ++digits;
      parts.wrong = parts.wrong || digits != 3;
      parts.grouped = true;
    } else {
      parts.wrong = parts.wrong || (!is_digit(c) && c != '.' && c != ',');
      parts.core += c;
    }
  }
  return parts;
}

/// Digits in groups of three (the last of them; two where people count in lakhs), without marks;
/// nothing where the groups are wrong.
std::optional<std::string> ungrouped(std::string_view whole, char mark) {
  std::string digits;
  std::size_t group = 0;
  bool grouped = false;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    if (whole[i] != mark) {
      digits += whole[i];
      ++group;
      continue;
    }
    if (group == 0 || group > 3 || (grouped && group < 2)) return std::nullopt;
    grouped = true;
    group = 0;
  }
  if (grouped && group != 3) return std::nullopt;
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  return digits.empty() ? "0" : digits;
}

/// What an amount alone tells.
enum class Tells { nothing, point, comma, unclear, wrong };

Tells tells(const Parts& parts) {
  if (parts.wrong) return Tells::wrong;
  const std::string& core = parts.core;
  const auto points = std::ranges::count(core, '.'), commas = std::ranges::count(core, ',');
  if (points == 0 && commas == 0) return Tells::nothing;
  const std::size_t last = core.find_last_of(".,");
  const bool point = core[last] == '.';
  if (points > 0 && commas > 0) {
    if ((point ? points : commas) > 1) return Tells::wrong;
    return point ? Tells::point : Tells::comma;
  }
  if (points + commas > 1) {  // thousands
    if (!ungrouped(core, core[last])) return Tells::wrong;
    return point ? Tells::comma : Tells::point;
  }
  const std::size_t behind = core.size() - last - 1;
  const bool could_be_thousands =
      behind == 3 && last > 0 && last <= 3 && core[0] != '0' && !parts.grouped;
  if (could_be_thousands) return Tells::unclear;
  return point ? Tells::point : Tells::comma;
}

std::string in_quotes(std::string_view text) {
  return "\"" + std::string(text.substr(0, 80)) + "\"";
}

/// Either reading of `1,234`, in words.
std::string unclear_words(std::string_view text, const std::string& core) {
  std::string thousands = core, decimals = core;
  std::erase_if(thousands, [](char c) { return !is_digit(c); });
  std::ranges::replace(decimals, ',', '.');
  return in_quotes(text) + " may mean " + thousands + " or " + decimals +
         ", and no other row tells; say --decimal . or --decimal ,";
}

}  // namespace

void Amounts::look_at(std::string_view text) {
  const Tells told = tells(parts_of_amount(text));
  seen_point_ = seen_point_ || told == Tells::point;
  seen_comma_ = seen_comma_ || told == Tells::comma;
}

char Amounts::decimal() const {
  if (decimal_ != 0) return decimal_;
  if (seen_point_ != seen_comma_) return seen_point_ ? '.' : ',';
  return doubt_ == Doubt::point ? '.' : '\0';
}

Amount Amounts::read(std::string_view text) const {
  const Parts parts = parts_of_amount(text);
  const Tells told = tells(parts);
  Amount amount{.mark = parts.mark};
  if (told == Tells::wrong) {
    amount.wrong = "no amount: " + in_quotes(text);
    return amount;
  }
  char decimal = decimal_;
  if (decimal == 0 && told == Tells::unclear) decimal = this->decimal();
  if (decimal == 0) decimal = told == Tells::comma ? ',' : '.';
  if (decimal_ == 0 && told == Tells::unclear && this->decimal() == 0) {
    amount.wrong = unclear_words(text, parts.core);
    return amount;
  }
  const std::size_t at = parts.core.find(decimal);
  const auto whole =
      ungrouped(std::string_view(parts.core).substr(0, at), decimal == '.' ? ',' : '.');
  std::string number = parts.negative ? "-" : "";
  if (whole) number += *whole;
  if (at != std::string::npos) number += "." + parts.core.substr(at + 1);
  const auto value = parse_decimal(number);
  if (!whole || !value) {
    amount.wrong = "no amount: " + in_quotes(text);
    return amount;
  }
  amount.value = *value;
  return amount;
}

PriceCurrency currency_of_price(std::string_view mark, std::string_view column,
                                std::string_view given, std::string_view fallback) {
  const auto upper = [](std::string_view text) {
    std::string out(text);
    for (char& c : out)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return out;
  };
  PriceCurrency result;
  const std::string code(upper(!column.empty() ? column : given));
  if (mark.empty()) {
    result.code = code.empty() ? std::string(fallback) : code;
  } else {
    const auto* sign = std::ranges::find(signs, mark, &Sign::sign);
    const std::string codes = sign != signs.end() ? std::string(sign->codes) : upper(mark);
    const std::vector<std::string> meant = parts_of(codes, " ");
    result.code = code.empty() ? meant.front() : code;
    if (std::ranges::find(meant, result.code) == meant.end())
      result.wrong = "the price says " + std::string(mark) + ", " +
                     (column.empty() ? "--currency " : "the column of currencies ") + result.code;
    if (sign == signs.end() && !Currency::parse(codes))
      result.wrong = "beside the price stands " + in_quotes(mark) + ", which is no currency";
  }
  if (result.wrong.empty()) {
    const std::string why = why_not_payable(result.code);
    if (!why.empty())
      result.wrong = why.starts_with(result.code) ? why : in_quotes(result.code) + " " + why;
  }
  return result;
}

}  // namespace souk::cli
