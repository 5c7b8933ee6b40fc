#include "events/money_sum.h"

namespace souk {

void append_decimal(std::string& out, const MicrosSum& sum) {
  const bool negative = sum.units() < 0;
  const MicrosSum magnitude = negative ? -sum : sum;
  if (negative) out += '-';
  out += std::to_string(magnitude.units());
  std::string fraction;
  append_decimal(fraction, Micros{magnitude.millionths()});
  out.append(fraction, 1);  // without its 0
}

std::string to_decimal(const MicrosSum& sum) {
  std::string text;
  append_decimal(text, sum);
  return text;
}

}  // namespace souk
