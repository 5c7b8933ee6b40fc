#include "events/money_sum.h"

namespace souk {

void append_decimal(std::string& out, const MicrosSum& sum, int decimals) {
  const bool negative = sum.units() < 0;
  const MicrosSum magnitude = negative ? -sum : sum;
  if (negative) out += '-';
  out += std::to_string(magnitude.units());
  std::string fraction;
  append_decimal(fraction, Micros{magnitude.millionths()}, decimals);
  out.append(fraction, 1);  // without its 0
}

std::string to_decimal(const MicrosSum& sum, int decimals) {
  std::string text;
  append_decimal(text, sum, decimals);
  return text;
}

}  // namespace souk
