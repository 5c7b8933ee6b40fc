#include "events/money.h"

#include <charconv>
#include <limits>

namespace souk {
namespace {

constexpr std::uint64_t micros_per_unit = 1'000'000;
constexpr std::size_t fraction_digits_max = 6;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool all_digits(std::string_view text) {
  for (const char c : text) {
    if (!is_digit(c)) return false;
  }
  return !text.empty();
}

}  // namespace

std::optional<Currency> Currency::parse(std::string_view text) {
  if (text.size() != 3) return std::nullopt;
  Currency currency;
  for (std::size_t i = 0; i < 3; ++i) {
    if (text[i] < 'A' || text[i] > 'Z') return std::nullopt;
    currency.code_[i] = text[i];
  }
  return currency;
}

std::optional<Micros> add(Micros a, Micros b) {
  Micros sum;
  if (__builtin_add_overflow(a.value, b.value, &sum.value)) return std::nullopt;
  return sum;
}

std::optional<Micros> subtract(Micros a, Micros b) {
  Micros difference;
  if (__builtin_sub_overflow(a.value, b.value, &difference.value)) return std::nullopt;
  return difference;
}

std::optional<Micros> multiply(Micros price, std::int64_t quantity) {
  Micros product;
  if (__builtin_mul_overflow(price.value, quantity, &product.value)) return std::nullopt;
  return product;
}

std::string to_decimal(Micros amount, int decimals) {
  std::string text;
  append_decimal(text, amount, decimals);
  return text;
}

void append_decimal(std::string& out, Micros amount, int decimals) {
  const bool negative = amount.value < 0;
  auto magnitude = static_cast<std::uint64_t>(amount.value);
  if (negative) magnitude = 0 - magnitude;  // the smallest value has no positive int64 of its own
  std::array<char, 32> buffer;
  char* p = buffer.data();
  if (negative) *p++ = '-';
  p = std::to_chars(p, buffer.data() + buffer.size(), magnitude / micros_per_unit).ptr;
  std::uint64_t fraction = magnitude % micros_per_unit;
  std::size_t digits = fraction_digits_max;
  while (digits > static_cast<std::size_t>(decimals) && fraction % 10 == 0) {
    fraction /= 10;
    --digits;
  }
  if (digits > 0) *p++ = '.';
  for (std::size_t i = digits; i-- > 0; fraction /= 10)
    p[i] = static_cast<char>('0' + fraction % 10);
  p += digits;
  out.append(buffer.data(), static_cast<std::size_t>(p - buffer.data()));
}

std::optional<Micros> parse_decimal(std::string_view text) {
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  const std::size_t dot = text.find('.');
  const std::string_view whole = text.substr(0, dot);
  if (!all_digits(whole) || (whole.size() > 1 && whole.front() == '0')) return std::nullopt;
  std::string_view fraction;
  if (dot != std::string_view::npos) {
    fraction = text.substr(dot + 1);
    if (!all_digits(fraction) || fraction.size() > fraction_digits_max) return std::nullopt;
  }
  std::uint64_t magnitude = 0;
  const auto add_digit = [&](char digit) {
    return !__builtin_mul_overflow(magnitude, std::uint64_t{10}, &magnitude) &&
           !__builtin_add_overflow(magnitude, static_cast<std::uint64_t>(digit - '0'), &magnitude);
  };
  for (const char c : whole) {
    if (!add_digit(c)) return std::nullopt;
  }
  for (std::size_t i = 0; i < fraction_digits_max; ++i) {
    if (!add_digit(i < fraction.size() ? fraction[i] : '0')) return std::nullopt;
  }
  constexpr auto positive_max =
      static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (magnitude > positive_max + (negative ? 1U : 0U)) return std::nullopt;
  return Micros{static_cast<std::int64_t>(negative ? 0 - magnitude : magnitude)};
}

}  // namespace souk
