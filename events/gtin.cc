#include "events/gtin.h"

#include <algorithm>

namespace souk {

char gtin_check_digit(std::string_view digits) {
  int sum = 0;
  int weight = 3;  // of the digit next to the check digit; then 1, 3, 1 ... to the left
  for (std::size_t i = digits.size(); i-- > 0; weight = 4 - weight)
    sum += (digits[i] - '0') * weight;
  return static_cast<char>('0' + (10 - sum % 10) % 10);
}

std::string why_no_gtin(std::string_view text) {
  const bool digits = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  const std::size_t size = text.size();
  if (!digits || (size != 8 && size != 12 && size != 13 && size != 14))
    return "must have 8, 12, 13 or 14 digits and nothing else";
  const char right = gtin_check_digit(text.substr(0, size - 1));
  if (text.back() == right) return {};
  return std::string("has the wrong check digit: ") + text.back() + ", where " + right +
         " would be right";
}

}  // namespace souk
