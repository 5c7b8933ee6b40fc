#include "gateway/api/commands/json_numbers.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace souk {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The length of a number by JSON's grammar at `at`; 0 where there is none.
std::size_t number_length(std::string_view text, std::size_t at) {
  std::size_t i = at;
  const auto digits = [&] {
    const auto first = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    return i - first;
  };
  if (i < text.size() && text[i] == '-') ++i;
  const bool leading_zero = i < text.size() && text[i] == '0';
  const auto whole = digits();
  if (whole == 0 || (leading_zero && whole > 1)) return 0;
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() == 0) return 0;
  }
  if (i < text.size() && (text[i] | 0x20) == 'e') {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (digits() == 0) return 0;
  }
  return i - at;
}

/// An exponent's digits, bounded: beyond it every number is 0 or too large.
std::int64_t bounded_exponent(std::string_view text) {
  constexpr std::int64_t far = 100'000'000;
  const bool negative = text.front() == '-';
  if (text.front() == '-' || text.front() == '+') text.remove_prefix(1);
  std::int64_t value = 0;
  const auto error = std::from_chars(text.data(), text.data() + text.size(), value).ec;
  if (error != std::errc{} || value > far) value = far;
  return negative ? -value : value;
}

bool is_too_large(std::string_view number) {
  if (number.find_first_of(".eE") != std::string_view::npos)
    return std::isinf(std::strtod(std::string(number).c_str(), nullptr));
  std::uint64_t value = 0;  // a parser knows these too
  const auto* end = number.data() + number.size();
  return !exact_integer(number) && std::from_chars(number.data(), end, value).ec != std::errc{};
}

}  // namespace

std::optional<std::int64_t> exact_integer(std::string_view number) {
  const auto e = number.find_first_of("eE");
  const auto mantissa = number.substr(0, e);
  const auto point = mantissa.find('.');
  std::string digits;
  std::copy_if(mantissa.begin(), mantissa.end(), std::back_inserter(digits), is_digit);
  std::int64_t scale = e == std::string_view::npos ? 0 : bounded_exponent(number.substr(e + 1));
  if (point != std::string_view::npos)
    scale -= static_cast<std::int64_t>(mantissa.size() - point - 1);
  digits.erase(0, digits.find_first_not_of('0'));
  if (digits.empty()) return 0;
  for (; digits.back() == '0'; ++scale) digits.pop_back();
  constexpr std::int64_t longest = 19;
  if (scale < 0 || static_cast<std::int64_t>(digits.size()) + scale > longest) return std::nullopt;
  digits.append(static_cast<std::size_t>(scale), '0');
  if (number.front() == '-') digits.insert(0, 1, '-');
  std::int64_t value = 0;
  const auto* end = digits.data() + digits.size();
  if (std::from_chars(digits.data(), end, value).ec != std::errc{}) return std::nullopt;
  return value;
}

PlainNumbers with_plain_numbers(std::string_view text) {
  PlainNumbers out;
  for (std::size_t i = 0; i < text.size();) {
    const auto from = i;
    if (text[i] == '"') {
      for (++i; i < text.size() && text[i] != '"'; ++i)
        if (text[i] == '\\') ++i;
      i = std::min(i + 1, text.size());
      out.text += text.substr(from, i - from);
      continue;
    }
    const auto number = text.substr(i, number_length(text, i));
    i += std::max<std::size_t>(number.size(), 1);
    if (number.empty()) {
      out.text += text[from];
    } else if (is_too_large(number)) {
      out.too_large = true;
      out.text += "0.5";
    } else if (const auto integer = exact_integer(number)) {
      out.text += std::to_string(*integer);
    } else {
      out.text += number;
    }
  }
  return out;
}

}  // namespace souk
