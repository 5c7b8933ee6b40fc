#pragma once
/// Numbers that a JSON parser takes apart from what they say.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace souk {

/// The integer that a number of JSON's grammar is, exactly: `2`, `2.0` and `20e-1` are 2. Nothing
/// for a fraction, and for what does not fit 64 bits.
std::optional<std::int64_t> exact_integer(std::string_view number);

struct PlainNumbers {
  std::string text;
  bool too_large = false;  // a number was beyond what any field takes, and doubles hold
};
/// The text with each number that is an exact integer in its plain digits, and each that is too
/// large replaced by a fraction, which no field takes: so that the refusal can name the member.
/// Cold: only asked where a request was refused.
PlainNumbers with_plain_numbers(std::string_view text);

}  // namespace souk
